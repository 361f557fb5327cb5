#include "question_flags.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "numbers.hpp"

namespace sizewise::cli {
namespace {

using fitting::Asked;
using fitting::Question;

/// What a flag's value may look like.
std::string_view example_of(std::string_view flag) {
  if (flag == "target-loss") {
    return "2.5";
  }
  if (flag == "params") {
    return "1e9";
  }
  return flag == "budget" ? "1e21" : "1e10";
}

/// Reads a flag's text; a refusal says what this flag takes.
template <class Read>
auto read_flag(std::string_view flag,
               const std::string& text,
               std::string_view allowed,
               const Read& read) {
  const std::string name = fmt::format("--{}", flag);
  try {
    return read(name);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{} is '{}'; allowed: {}", name, text, allowed),
                fmt::format("for example: {} {}", name, example_of(flag)));
  }
}

void add_questions(const CommandLine& line,
                   std::string_view flag,
                   Question::Kind kind,
                   Asked& asked) {
  for (const std::string& text : line.texts(flag)) {
    const std::vector<double> values = read_flag(
        flag,
        text,
        "positive numbers separated by commas, or FIRST:LAST:COUNT (evenly spaced in "
        "logarithm, FIRST at most LAST, COUNT 2 to 1000)",
        [&](const std::string& name) {
          return parse_positive_list(name, text);
        });
    for (const double value : values) {
      asked.questions.push_back({kind, value});
    }
  }
}

/// A size or an amount of data that is given: a question alone, a limit beside others.
template <class Quantity>
void add_size(const CommandLine& line,
              std::string_view flag,
              bool is_limit,
              Question::Kind kind,
              std::optional<Quantity>& limit,
              Asked& asked) {
  if (!line.has(flag)) {
    return;
  }
  const double value = positive_flag(line, flag);
  if (is_limit) {
    limit = Quantity(value);
  } else {
    asked.questions.push_back({kind, value});
  }
}

void refuse_what_serving_ignores(const Asked& asked) {
  if (asked.served && (asked.limits.params || asked.limits.tokens)) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--inference-tokens chooses the size and the data of the model that "
                    "is served, so --{} cannot fix it",
                    asked.limits.params ? "params" : "tokens"),
        "give --inference-tokens with --budget or --target-loss alone, or leave it out");
  }
}

}  // namespace

double positive_flag(const CommandLine& line, std::string_view flag) {
  const std::string text = line.text_or(flag, "");
  return read_flag(flag, text, "a number above 0", [&](const std::string& name) {
    return parse_number(name,
                        text,
                        std::numeric_limits<double>::denorm_min(),
                        std::numeric_limits<double>::max());
  });
}

CommandLine& add_question_flags(CommandLine& line) {
  return line.values("budget", "C", "name the best size and data for C training FLOPs")
      .values("target-loss", "L", "name the least budget that reaches a loss of L nats")
      .value("params",
             "N",
             "a model of this size: with --budget or --target-loss fixed, "
             "alone the budget of which it is the best use")
      .value("tokens", "D", "so many units of data: the same")
      .value("unique-tokens", "U", "there are no more different units; the rest repeats")
      .value("inference-tokens",
             "T",
             "name the model of equal loss whose training and serving of T units cost "
             "least");
}

Asked asked_from(const CommandLine& line) {
  Asked asked;
  add_questions(line, "budget", Question::Kind::kBudget, asked);
  add_questions(line, "target-loss", Question::Kind::kTargetLoss, asked);
  if (line.has("params") && line.has("tokens")) {
    throw Error(ErrorCode::kConfiguration,
                "--params and --tokens together leave nothing to choose",
                "`sizewise predict LAW --params N --tokens D` predicts their loss");
  }
  const bool is_limit = !asked.questions.empty();
  add_size(line, "params", is_limit, Question::Kind::kParams, asked.limits.params, asked);
  add_size(line, "tokens", is_limit, Question::Kind::kTokens, asked.limits.tokens, asked);
  if (line.has("unique-tokens")) {
    asked.limits.unique_tokens = Units(positive_flag(line, "unique-tokens"));
  }
  if (line.has("inference-tokens")) {
    asked.served = Units(positive_flag(line, "inference-tokens"));
  }
  refuse_what_serving_ignores(asked);
  if (asked.questions.empty() && (asked.served || asked.limits.unique_tokens)) {
    throw Error(ErrorCode::kConfiguration,
                "--inference-tokens and --unique-tokens say nothing alone",
                "add --budget C, --target-loss L, --params N or --tokens D: what the "
                "model has to be as good as");
  }
  return asked;
}

}  // namespace sizewise::cli

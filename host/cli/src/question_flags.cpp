#include "question_flags.hpp"

#include <string_view>

#include "sizewise/error.hpp"

namespace sizewise::cli {
namespace {

using fitting::Asked;
using fitting::Question;

constexpr double kLeast = 1e-300;  // what counts as positive

void add_questions(const CommandLine& line,
                   std::string_view flag,
                   Question::Kind kind,
                   Asked& asked) {
  for (const double value : line.positive_list(flag)) {
    asked.questions.push_back({kind, value});
  }
}

}  // namespace

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
  if (line.has("params")) {
    const double params = line.number_or("params", 0.0, kLeast);
    if (is_limit) {
      asked.limits.params = Parameters(params);
    } else {
      asked.questions.push_back({Question::Kind::kParams, params});
    }
  }
  if (line.has("tokens")) {
    const double tokens = line.number_or("tokens", 0.0, kLeast);
    if (is_limit) {
      asked.limits.tokens = Units(tokens);
    } else {
      asked.questions.push_back({Question::Kind::kTokens, tokens});
    }
  }
  if (line.has("unique-tokens")) {
    asked.limits.unique_tokens = Units(line.number_or("unique-tokens", 0.0, kLeast));
  }
  if (line.has("inference-tokens")) {
    asked.served = Units(line.number_or("inference-tokens", 0.0, kLeast));
  }
  if (asked.questions.empty() && (asked.served || asked.limits.unique_tokens)) {
    throw Error(ErrorCode::kConfiguration,
                "--inference-tokens and --unique-tokens say nothing alone",
                "add --budget C, --target-loss L, --params N or --tokens D: what the "
                "model has to be as good as");
  }
  return asked;
}

}  // namespace sizewise::cli

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "commands/commands.hpp"
#include "fitting/answers.hpp"
#include "fitting/bootstrap.hpp"
#include "fitting/data_checks.hpp"
#include "fitting/fit_report_json.hpp"
#include "fitting/fitted_law.hpp"
#include "fitting/statistics.hpp"
#include "question_flags.hpp"
#include "reporting/fit_text.hpp"
#include "running/durable_file.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

using fitting::FitReport;
using nlohmann::json;
using tables::number_or_null;

FitReport read_law(const std::string& word) {
  std::filesystem::path path(word == "-" ? "/dev/stdin" : word);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    path /= "law.json";
  }
  const std::string text = running::read_file(path);
  try {
    FitReport law = fitting::fit_report_from_json(json::parse(text));
    fitting::check_law(law);
    return law;
  } catch (const json::exception& error) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: this is no JSON: {}", path.string(), tables::json_fault(error)),
        "give a run directory, or a file that sizewise fit --json printed");
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: {}", path.string(), error.message()),
                error.suggestion());
  }
}

[[noreturn]] void refuse_form(const std::string& word,
                              const FitReport& law,
                              std::string_view why) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("{}: a law of form '{}' {}", word, law.result.law.form, why),
              "fit one that does: sizewise fit TABLE --fit approach3");
}

/// Refuses the flags that a law of that form would have to ignore.
void check_form(const CommandLine& line, const FitReport& law) {
  const std::string& form = law.result.law.form;
  const std::string& word = line.words()[0];
  if (form == "power") {
    refuse_form(word, law, "names no best size and predicts no loss of a model");
  }
  if (form != "allocation") {
    return;
  }
  for (const char* flag : {"target-loss", "unique-tokens", "inference-tokens"}) {
    if (line.has(flag)) {
      refuse_form(word, law, fmt::format("predicts no loss, which --{} needs", flag));
    }
  }
  const bool has_limit = line.has("budget") && (line.has("params") || line.has("tokens"));
  if (has_limit || (line.has("params") && line.has("tokens"))) {
    refuse_form(word, law, "predicts no loss of a model whose size or data is given");
  }
}

/// What of one model on some data is outside what the law has seen.
std::vector<std::string> warnings_of(const FitReport& law,
                                     Parameters params,
                                     Units tokens) {
  std::vector<std::string> warnings;
  const auto check = [&](const char* what, double value, const fitting::Interval& seen) {
    if (std::isfinite(seen.low) && !seen.contains(value)) {
      warnings.push_back(fmt::format(
          "{} {:.4g}; the rows have {:.4g} to {:.4g}", what, value, seen.low, seen.high));
    }
  };
  check("params are", params.value(), law.params_seen);
  check("units per parameter are", tokens.value() / params.value(), law.ratio_seen);
  return warnings;
}

/// The loss of one model on some data.
void predict_loss(const CommandLine& line, const FitReport& law, Console& console) {
  const Parameters params(positive_flag(line, "params"));
  const Units tokens(positive_flag(line, "tokens"));
  const Units unique(line.has("unique-tokens") ? positive_flag(line, "unique-tokens")
                                               : tokens.value());
  const double loss = loss_with_repeats(law.result.law, params, tokens, unique).value();
  std::vector<double> draws;
  if (law.bootstrap) {
    for (const Law& drawn : fitting::drawn_laws(*law.bootstrap, law.result.law)) {
      draws.push_back(loss_with_repeats(drawn, params, tokens, unique).value());
    }
  }
  const double level = law.bootstrap ? law.bootstrap->level : 0.95;
  const fitting::Interval interval = fitting::bias_corrected_interval(draws, loss, level);
  const double flops = law.cost_model.flops_per_unit(params) * tokens.value();
  const std::vector<std::string> warnings = warnings_of(law, params, tokens);
  if (line.json()) {
    const json object = {{"status", law.identified() ? "identified" : "not_identified"},
                         {"params", params.value()},
                         {"tokens", tokens.value()},
                         {"loss", number_or_null(loss)},
                         {"loss_interval",
                          draws.empty() ? json()
                                        : json{number_or_null(interval.low),
                                               number_or_null(interval.high)}},
                         {"flops", number_or_null(flops)},
                         {"cost_model", law.cost_model.name()},
                         {"warnings", warnings}};
    console.result(tables::json_text(object) + "\n");
    return;
  }
  const std::string between =
      draws.empty() ? std::string()
                    : fmt::format("  ({:g} % of the resamples: {:.7g} to {:.7g})",
                                  100 * level,
                                  interval.low,
                                  interval.high);
  console.result(
      fmt::format("loss   {:.7g}{}\nparams {:.7g}\ntokens {:.7g}\nflops  {:.7g} ({})\n",
                  loss,
                  between,
                  params.value(),
                  tokens.value(),
                  flops,
                  law.cost_model.name()));
  for (const std::string& warning : warnings) {
    console.warn(warning);
  }
}

/// An answer below the loss that was asked for is no least budget, but where the search
/// for one begins.
void refuse_loss_above_all(const FitReport& law) {
  constexpr double kNearly = 1.0 - 1e-6;
  for (const fitting::Optimum& optimum : law.optima) {
    const bool is_asked = optimum.question.kind == fitting::Question::Kind::kTargetLoss;
    if (is_asked && optimum.loss.value() < kNearly * optimum.question.value) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--target-loss is {:g}; allowed: at most {:.5g}, the law's "
                              "loss for the smallest budget there is, {:.3g} FLOPs",
                              optimum.question.value,
                              optimum.loss.value(),
                              optimum.budget.value()),
                  "for example: --target-loss 2.5");
    }
  }
}

/// The answers to the other questions.
void predict_optima(const CommandLine& line, FitReport law, Console& console) {
  law.optima.clear();
  law.warnings.clear();
  const double level = law.hessian ? law.hessian->level : 0.95;
  const fitting::Asked asked = asked_from(line);
  fitting::answer_questions(asked, level, law);
  refuse_loss_above_all(law);
  if (law.bootstrap) {
    fitting::answer_draws(asked, law.cost_model, law.result.law, *law.bootstrap);
    fitting::give_intervals(*law.bootstrap, law.optima);
  }
  fitting::warn_of_optima(law);
  if (line.json()) {
    const json object = {{"status", law.identified() ? "identified" : "not_identified"},
                         {"cost_model", law.cost_model.name()},
                         {"optima", fitting::optima_to_json(law)},
                         {"warnings", law.warnings}};
    console.result(tables::json_text(object) + "\n");
    return;
  }
  console.result(reporting::optima_text(law).substr(1));
  for (const std::string& warning : law.warnings) {
    console.warn(warning);
  }
}

}  // namespace

int predict(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise predict LAW.json|RUN_DIR|- (--params N --tokens D | --budget C...)",
      "Reads a fitted law (-: from standard input) and predicts the loss of a model, or\n"
      "names the best size and data for a budget. Exit code 1: the law is not\n"
      "identified (see --force).");
  line.positional("a law or a run directory (- for standard input)", 1, 1);
  add_question_flags(line).toggle("force",
                                  "predict even where the law is not identified");
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const bool asks_loss = line.has("params") && line.has("tokens");
  const bool asks_more = line.has("budget") || line.has("target-loss");
  const bool asks_any = asks_more || line.has("params") || line.has("tokens");
  if (!asks_any || (asks_loss && (asks_more || line.has("inference-tokens")))) {
    throw Error(
        ErrorCode::kConfiguration,
        "predict takes --params N and --tokens D, or --budget C, --target-loss L, "
        "--params N or --tokens D",
        "for example: sizewise predict law.json --budget 1e20");
  }
  const FitReport law = read_law(line.words()[0]);
  if (law.result.law.values.empty() || !fitting::has_finite_law(law.result)) {
    throw Error(ErrorCode::kFit,
                law.result.reasons.empty()
                    ? std::string("there is no law: its rows gave none")
                    : "there is no law: " + law.result.reasons.front().message,
                "add runs; --force cannot help");
  }
  check_form(line, law);
  if (!law.identified()) {
    for (const Reason& reason : law.result.reasons) {
      console.warn("not identified: " + reason.message);
    }
    if (!line.has("force")) {
      throw Error(ErrorCode::kFit,
                  "the law is not identified by its data: nothing is predicted from it",
                  "add runs as the reasons say, or give --force");
    }
  }
  if (asks_loss) {
    predict_loss(line, law, console);
  } else {
    predict_optima(line, law, console);
  }
  return law.identified() ? 0 : 1;
}

}  // namespace sizewise::cli

#include "reporting/terminal_report.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fitting/fit_report_json.hpp"
#include "reporting/fit_text.hpp"
#include "reporting/quantization_text.hpp"
#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

std::string row(std::string_view size,
                std::string_view params,
                std::string_view tokens,
                std::string_view flops,
                std::string_view loss,
                std::string_view status) {
  return fmt::format("{:>8} {:>10} {:>10} {:>10} {:>10}  {}\n",
                     size,
                     params,
                     tokens,
                     flops,
                     loss,
                     status);
}

std::string recommendation_report(const Recommendation& made) {
  std::string text = fmt::format("\nFor a budget of {:.4g} FLOPs ({} cost):\n",
                                 made.budget.value(),
                                 made.cost_model);
  text += fmt::format("  size {}: {} parameters on {} {}s",
                      made.size,
                      short_count(made.params.value()),
                      short_count(made.tokens.value()),
                      made.unit);
  text += std::isfinite(made.loss) ? fmt::format(", loss {:.4f}\n", made.loss) : "\n";
  const double low = made.params_low.value();
  const double high = made.params_high.value();
  if (!std::isnan(low) || !std::isnan(high)) {
    text += fmt::format("  95 % interval of the best parameter count: {} to {}\n",
                        std::isfinite(low) ? short_count(low) : "no bound",
                        std::isfinite(high) ? short_count(high) : "no bound");
  }
  return text + wrapped(made.reason, 2);
}

/// The recommended model as it was trained, and quantized.
std::string shipped_report(const Outcome& outcome) {
  std::string text;
  if (outcome.model) {
    const TrainedModel& model = *outcome.model;
    text +=
        "\n" + wrapped(fmt::format("Trained size {} on {} units{}: loss {}, accuracy {}; "
                                   "it is in {}",
                                   model.size,
                                   short_count(model.tokens.value()),
                                   model.reused ? " (before)" : "",
                                   number_or(model.loss, "{:.5f}", "-"),
                                   number_or(model.accuracy, "{:.4f}", "-"),
                                   model.folder.string()),
                       0);
  }
  if (outcome.quantization) {
    text += "\n" + quantization_text(*outcome.quantization);
  }
  return text;
}

}  // namespace

std::string short_count(double count) {
  constexpr std::array<const char*, 6> kUnits = {"", "k", "M", "G", "T", "P"};
  if (!std::isfinite(count)) {
    return "?";
  }
  std::size_t unit = 0;
  while (std::abs(count) >= (unit == 0 ? 1e4 : 999.5) && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}", count)
                   : fmt::format("{:.3g}{}", count, kUnits[unit]);
}

std::string short_time(double seconds) {
  if (!std::isfinite(seconds)) {
    return "?";
  }
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string trials_table(const std::vector<TrialState>& trials) {
  std::string text = row("size", "params", "tokens", "FLOPs", "loss", "status");
  for (const TrialState& trial : trials) {
    text += row(std::to_string(trial.size),
                short_count(trial.params.value()),
                short_count(trial.tokens.value()),
                number_or(trial.flops.value(), "{:.3g}", "-"),
                number_or(trial.loss, "{:.5f}", "-"),
                trial.status + (trial.reused ? " (reused)" : ""));
  }
  return text;
}

std::string plan_table(const planning::Plan& plan) {
  std::string text = row("size", "params", "tokens", "FLOPs", "round", "budget");
  double total = 0;
  std::size_t number = 0;
  for (std::size_t round = 0; round < plan.rounds.size(); ++round) {
    for (const planning::Trial& trial : plan.rounds[round]) {
      text += row(std::to_string(trial.size),
                  short_count(trial.params),
                  short_count(static_cast<double>(trial.tokens)),
                  fmt::format("{:.3g}", trial.flops()),
                  std::to_string(round + 1),
                  trial.pilot    ? "pilot"
                  : trial.budget ? fmt::format("{:.3g}", trial.budget->value())
                                 : "-");
      total += trial.flops();
      ++number;
    }
  }
  text += fmt::format("{} trials, {:.4g} FLOPs\n", number, total);
  const bool is_pilot = !plan.rounds.empty() && !plan.rounds.front().empty() &&
                        plan.rounds.front().front().pilot;
  return text + wrapped(is_pilot
                            ? "These are pilots: the trials of the budgets follow "
                              "from their results, round by round."
                            : "The sweep may plan further rounds from these results.",
                        0);
}

std::string outcome_report(const Outcome& outcome) {
  std::string text = trials_table(outcome.trials);
  text += wrapped(fmt::format("{} trials: {} done, {} diverged, {} failed, {} reused; "
                              "{:.4g} FLOPs of training; {}",
                              outcome.planned,
                              outcome.done,
                              outcome.diverged,
                              outcome.failed,
                              outcome.reused,
                              outcome.training_flops.value(),
                              short_time(outcome.seconds)),
                  0);
  if (!outcome.fit_json.empty()) {
    text +=
        "\n" +
        fit_text(fitting::fit_report_from_json(nlohmann::json::parse(outcome.fit_json)));
  }
  for (const Recommendation& made : outcome.recommendations) {
    text += recommendation_report(made);
  }
  text += shipped_report(outcome);
  if (!outcome.advice.empty()) {
    text += "\nWhat to do next\n";
  }
  for (const std::string& line : outcome.advice) {
    text += hanging("  - ", line);
  }
  return text + wrapped("Everything is in " + outcome.run_dir.string(), 0);
}

}  // namespace sizewise::reporting

#include "reporting/fit_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "reporting/diagnosis_text.hpp"
#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

using fitting::BootstrapReport;
using fitting::FitReport;

std::string formula_of(const Law& law) {
  if (law.form == "chinchilla") {
    return "loss = E + A / params^alpha + B / tokens^beta";
  }
  if (law.form == "allocation") {
    return "params* = coefficient * C^exponent, and the same for tokens*";
  }
  if (law.form == "kaplan") {
    return "loss = ((Nc / params)^(aN / aD) + Dc / tokens)^aD";
  }
  if (law.form == "data_constrained") {
    return "loss = E + A / params_eff^alpha + B / tokens_eff^beta";
  }
  if (law.form == "power") {
    return "y = y_inf + k * x^-a";
  }
  return law.form;
}

std::string rows_text(const FitReport& report) {
  std::string text = fmt::format(
      "{}: {} of {} rows used\n", report.fit.plugin, report.rows.used, report.rows.read);
  for (const fitting::Exclusion& exclusion : report.rows.excluded) {
    text += hanging("  ",
                    fmt::format("left out: {} ({})", exclusion.count, exclusion.reason));
  }
  return text;
}

template <class Value>
const Value* find_in(const std::map<std::string, Value>& values,
                     const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

/// One value of the law, with its standard error and interval: the resamples' where there
/// are any, else the Hessian's.
std::string value_row(const FitReport& report, const std::string& name, double value) {
  const double* error = nullptr;
  const fitting::Interval* interval = nullptr;
  if (report.bootstrap) {
    error = find_in(report.bootstrap->standard_error, name);
    interval = find_in(report.bootstrap->interval, name);
  } else if (report.hessian) {
    error = find_in(report.hessian->standard_error, name);
    interval = find_in(report.hessian->interval, name);
  }
  return line_of(fmt::format("  {:<19} {:<14} {:<12} {}",
                             name,
                             number_text(value, 7),
                             error == nullptr ? "" : number_text(*error, 4),
                             interval == nullptr ? "" : interval_text(*interval)));
}

std::string bootstrap_note(const BootstrapReport& bootstrap) {
  const char* const drawn = bootstrap.unit == "row"      ? "rows"
                            : bootstrap.unit == "run_id" ? "whole runs"
                                                         : "noise";
  std::string text = fmt::format("standard errors and intervals: from {} resamples of {}",
                                 bootstrap.replicates,
                                 drawn);
  if (bootstrap.failed > 0) {
    text += fmt::format("; {} of them gave no law", bootstrap.failed);
  }
  if (bootstrap.not_identified > 0) {
    text += fmt::format("; {} gave a law that their rows do not identify",
                        bootstrap.not_identified);
  }
  return text;
}

/// What a and b mean. Where the FLOPs are counted, a unit of data does not cost in
/// proportion to params, and they hold only of laws of the budget itself.
std::string growth_text(const FitReport& report) {
  constexpr double kNotWorthSaying = 0.005;
  const double apart = std::fabs(report.counted_growth - report.result.a);
  if (!(apart >= kNotWorthSaying)) {
    return "  best params grow as C^a, best tokens as C^b\n";
  }
  return hanging("  ",
                 fmt::format("where C is 6 params tokens, best params grow as C^a, best "
                             "tokens as C^b; by the counted FLOPs params grow as C^{} "
                             "from the smallest to the largest budget in the table",
                             number_text(report.counted_growth, 3)));
}

std::string values_text(const FitReport& report) {
  const double level = report.bootstrap ? report.bootstrap->level
                       : report.hessian ? report.hessian->level
                                        : FitResult::kUnknown;
  std::string text = line_of(fmt::format(
      "  {:<19} {:<14} {:<12} {}",
      "",
      "VALUE",
      report.hessian || report.bootstrap ? "STD. ERROR" : "",
      std::isnan(level) ? "" : fmt::format("{:.4g} % INTERVAL", 100.0 * level)));
  for (const auto& [name, value] : report.result.law.values) {
    text += value_row(report, name, value);
  }
  if (!std::isnan(report.result.a)) {
    text += value_row(report, "a", report.result.a);
    text += value_row(report, "b", report.result.b);
    text += growth_text(report);
  }
  if (report.bootstrap) {
    text += hanging("  ", bootstrap_note(*report.bootstrap));
  } else if (report.hessian) {
    text += hanging("  ",
                    "standard errors and intervals: from the Hessian, which takes the "
                    "errors of all rows as "
                    "alike; where they are not, --bootstrap N gives wider ones");
  }
  return text;
}

std::string law_text(const FitReport& report) {
  std::string text = fmt::format("\nLaw: {}\n", formula_of(report.result.law));
  text += values_text(report);
  text += fmt::format("  objective {:.10g}", report.result.objective);
  if (report.result.starts_tried > 0) {
    text += fmt::format(", reached by {} of {} starts",
                        report.result.starts_within_tenth_percent,
                        report.result.starts_tried);
  }
  text += "\n";
  for (const fitting::ProfileReport& profile : report.profiles) {
    const bool is_known =
        !std::isnan(profile.interval.low) && !std::isnan(profile.interval.high);
    text += fmt::format("  {:.4g} % of {} by profile likelihood: {}\n",
                        100.0 * profile.level,
                        profile.name,
                        is_known ? interval_text(profile.interval) : "not computed");
  }
  return text;
}

std::string status_text(const FitReport& report) {
  if (report.identified()) {
    return "\nStatus: identified\n";
  }
  std::string text = "\nStatus: NOT identified: the rows do not determine this law\n";
  for (const Reason& reason : report.result.reasons) {
    text += hanging("  - ", reason.message);
  }
  return text;
}

/// Whether a fit gave a law at all.
bool has_numbers(const Law& law) {
  return std::any_of(law.values.begin(), law.values.end(), [](const auto& entry) {
    return std::isfinite(entry.second);
  });
}

}  // namespace

std::string fit_text(const FitReport& report) {
  std::string text = rows_text(report) + status_text(report);
  if (has_numbers(report.result.law)) {
    text += law_text(report) + optima_text(report) + diagnosis_text(report);
  }
  if (!report.warnings.empty()) {
    text += "\nWarnings\n";
  }
  for (const std::string& warning : report.warnings) {
    text += hanging("  - ", warning);
  }
  return text;
}

}  // namespace sizewise::reporting

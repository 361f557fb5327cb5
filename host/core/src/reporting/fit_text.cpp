#include "reporting/fit_text.hpp"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace sizewise::reporting {
namespace {

using fitting::BootstrapReport;
using fitting::FitReport;
using fitting::Interval;
using fitting::Optimum;

constexpr std::size_t kWidth = 80;

/// Words in lines of at most kWidth columns; the first begins with `head`, the others are
/// indented as far.
std::string paragraph(std::string_view head, std::string_view text) {
  std::string lines;
  std::string line(head);
  bool has_word = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (has_word && line.size() + 1 + word.size() > kWidth) {
      lines += line + "\n";
      line.assign(head.size(), ' ');
      has_word = false;
    }
    line += has_word ? " " : "";
    line += word;
    has_word = true;
  }
  return lines + line + "\n";
}

std::string end_text(double end) {
  return std::isfinite(end) ? fmt::format("{:.5g}", end) : "unbounded";
}

std::string interval_text(const Interval& interval) {
  return end_text(interval.low) + " to " + end_text(interval.high);
}

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
  if (law.form == "power") {
    return "y = y_inf + k * x^-a";
  }
  return law.form;
}

std::string rows_text(const FitReport& report) {
  std::string text = fmt::format(
      "{}: {} of {} rows used\n", report.fit.plugin, report.rows.used, report.rows.read);
  for (const fitting::Exclusion& exclusion : report.rows.excluded) {
    text += paragraph(
        "  ", fmt::format("left out: {} ({})", exclusion.count, exclusion.reason));
  }
  return text;
}

std::string value_row(const FitReport& report,
                      const std::string& name,
                      double value,
                      std::string_view note) {
  std::string row = fmt::format("  {:<19} {:<14.7g}", name, value);
  if (report.bootstrap) {
    const auto found = report.bootstrap->interval.find(name);
    if (found != report.bootstrap->interval.end()) {
      row += fmt::format(" {:<26}", interval_text(found->second));
    }
  }
  row += note.empty() ? "" : fmt::format(" {}", note);
  return row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
}

std::string law_text(const FitReport& report) {
  const Law& law = report.result.law;
  std::string text = fmt::format("\nLaw: {}\n", formula_of(law));
  for (const auto& [name, value] : law.values) {
    text += value_row(report, name, value, "");
  }
  if (!std::isnan(report.result.a)) {
    text += value_row(report, "a", report.result.a, "params* ~ C^a");
    text += value_row(report, "b", report.result.b, "tokens* ~ C^b");
  }
  if (report.bootstrap) {
    const BootstrapReport& bootstrap = *report.bootstrap;
    text += paragraph(
        "  ",
        fmt::format(
            "intervals: {:.4g} %, from {} resamples of {}; {} of them gave no law, "
            "{} one that they do not identify",
            100.0 * bootstrap.level,
            bootstrap.replicates,
            bootstrap.unit == "row" ? "rows" : "whole runs",
            bootstrap.failed,
            bootstrap.not_identified));
  }
  text += fmt::format("  objective           {:.10g}", report.result.objective);
  if (report.result.starts_tried > 0) {
    text += fmt::format(", reached by {} of {} starts",
                        report.result.starts_within_tenth_percent,
                        report.result.starts_tried);
  }
  return text + "\n";
}

std::string status_text(const FitReport& report) {
  if (report.identified()) {
    return "\nStatus: identified\n";
  }
  std::string text = "\nStatus: NOT identified: the rows do not determine this law\n";
  for (const Reason& reason : report.result.reasons) {
    text += paragraph("  - ", reason.message);
  }
  return text;
}

std::string optimum_row(const Optimum& optimum) {
  const std::string row = fmt::format(
      "  {:<10.5g} {:<10.5g} {:<24} {:<10.5g} {:<8} {:>9}",
      optimum.budget.value(),
      optimum.params.value(),
      optimum.params_interval ? interval_text(*optimum.params_interval) : "",
      optimum.tokens.value(),
      std::isnan(optimum.loss.value()) ? "" : fmt::format("{:.5f}", optimum.loss.value()),
      fmt::format("{:.3g}x", optimum.extrapolation));
  return row + "\n";
}

}  // namespace

std::string optima_text(const FitReport& report) {
  if (report.optima.empty()) {
    return {};
  }
  std::string text = fmt::format(
      "\nBest use of a budget (FLOPs {})\n",
      report.cost_model.is_counted() ? "counted" : "taken as 6 * params * tokens");
  const std::string level =
      report.bootstrap ? fmt::format("{:.4g} % INTERVAL", 100.0 * report.bootstrap->level)
                       : "";
  text += fmt::format("  {:<10} {:<10} {:<24} {:<10} {:<8} {:>9}\n",
                      "BUDGET",
                      "PARAMS",
                      level,
                      "TOKENS",
                      "LOSS",
                      "BEYOND");
  for (const Optimum& optimum : report.optima) {
    text += optimum_row(optimum);
  }
  return text + "  BEYOND: the budget over the largest in the table\n";
}

std::string fit_text(const FitReport& report) {
  std::string text =
      rows_text(report) + status_text(report) + law_text(report) + optima_text(report);
  if (!report.warnings.empty()) {
    text += "\nWarnings\n";
  }
  for (const std::string& warning : report.warnings) {
    text += paragraph("  - ", warning);
  }
  return text;
}

}  // namespace sizewise::reporting

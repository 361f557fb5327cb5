#include "reporting/diagnosis_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reporting/text_layout.hpp"

namespace sizewise::reporting {
namespace {

using fitting::FitReport;
using fitting::HoldOutReport;
using fitting::OutlierReport;
using fitting::Residual;
using fitting::SensitivityRow;

std::string hold_out_text(const HoldOutReport& hold_out) {
  std::string text =
      fmt::format("\nHeld out: {} row{} with {}, predicted from {} others\n",
                  hold_out.held,
                  hold_out.held == 1 ? "" : "s",
                  hold_out.rows_held,
                  hold_out.fitted);
  if (std::isfinite(hold_out.mean_absolute_error)) {
    text +=
        fmt::format("  mean |error| {:.5g} nats, mean error {:+.5g} (predicted - loss)\n",
                    hold_out.mean_absolute_error,
                    hold_out.bias);
  }
  if (std::isfinite(hold_out.params.value())) {
    text += fmt::format("  best size for {:.5g} FLOPs {:.5g}",
                        hold_out.budget.value(),
                        hold_out.params.value());
    text += std::isfinite(hold_out.params_of_all.value())
                ? fmt::format("; with them {:.5g}", hold_out.params_of_all.value())
                : "";
    text += "\n";
  }
  return text;
}

std::string outliers_text(const OutlierReport& outliers, const FitReport& report) {
  constexpr std::size_t kMostShown = 10;
  std::vector<uint64_t> lines;
  for (const Residual& row : outliers.rows) {
    if (lines.size() < kMostShown) {
      lines.push_back(row.line);
    }
  }
  std::string text = fmt::format("\nFar from the law: {} row{}, used all the same\n",
                                 outliers.count,
                                 outliers.count == 1 ? "" : "s");
  text += hanging(
      "  ",
      fmt::format(
          "line{} {}{}; |ln(predicted / loss)| is more than {:.3g} off its median",
          lines.size() == 1 ? "" : "s",
          fmt::join(lines, ", "),
          outliers.count > lines.size() ? ", ..." : "",
          outliers.limit));
  if (std::isfinite(outliers.a_without)) {
    text += fmt::format("  without {} a is {:.5g} instead of {:.5g}\n",
                        outliers.count == 1 ? "it" : "them",
                        outliers.a_without,
                        report.result.a);
  }
  return text;
}

/// Errors of rows whose FLOPs are alike.
struct Group {
  std::size_t rows = 0;
  double sum = 0.0;
  double squares = 0.0;
};

std::string residual_groups_text(const std::vector<Residual>& residuals) {
  // Half-decades of C: as fine as budgets are, and few enough for a table.
  std::map<double, Group> groups;
  for (const Residual& residual : residuals) {
    if (std::isfinite(residual.flops)) {
      Group& group = groups[std::floor(2.0 * std::log10(residual.flops)) / 2.0];
      ++group.rows;
      group.sum += residual.error();
      group.squares += residual.error() * residual.error();
    }
  }
  std::string text =
      fmt::format("\nErrors by FLOPs (predicted - loss)\n  {:<24} {:>8} {:>14} {:>14}\n",
                  "FLOPS",
                  "ROWS",
                  "MEAN",
                  "ROOT MEAN SQUARE");
  for (const auto& [exponent, group] : groups) {
    const auto count = static_cast<double>(group.rows);
    text += fmt::format(
        "  {:<24} {:>8} {:>+14.5g} {:>14.5g}\n",
        fmt::format(
            "{:.2g} to {:.2g}", std::pow(10.0, exponent), std::pow(10.0, exponent + 0.5)),
        group.rows,
        group.sum / count,
        std::sqrt(group.squares / count));
  }
  return text;
}

std::string worst_rows_text(std::vector<Residual> residuals) {
  constexpr std::size_t kMostShown = 10;
  const auto last = residuals.begin() +
                    static_cast<std::ptrdiff_t>(std::min(kMostShown, residuals.size()));
  std::partial_sort(residuals.begin(),
                    last,
                    residuals.end(),
                    [](const Residual& first, const Residual& second) {
                      return std::fabs(first.error()) > std::fabs(second.error());
                    });
  residuals.erase(last, residuals.end());
  std::string text = fmt::format(
      "\nRows farthest from the law\n  {:>7} {:>11} {:>11} {:>11} {:>11} {:>12}\n",
      "LINE",
      "PARAMS",
      "TOKENS",
      "LOSS",
      "PREDICTED",
      "ERROR");
  for (const Residual& row : residuals) {
    text += fmt::format("  {:>7} {:>11} {:>11} {:>11} {:>11} {:>+12.5g}\n",
                        row.line,
                        number_text(row.params),
                        number_text(row.tokens),
                        number_text(row.observed, 6),
                        number_text(row.predicted, 6),
                        row.error());
  }
  return text;
}

/// One reading. `growth`: the exponent of N* in C under its cost model, which is a only
/// where a unit of data costs in proportion to N.
std::string reading_row(
    const std::string& reading, double a, double growth, double params, bool identified) {
  return line_of(fmt::format("  {:<30} {:<9} {:<12} {:<11} {}",
                             reading,
                             number_text(a, 4),
                             number_text(growth, 4),
                             number_text(params),
                             identified ? "" : "not identified"));
}

std::string sensitivity_text(const FitReport& report) {
  const bool has_optimum = !report.optima.empty();
  std::string text = "\nOther readings of N and C\n";
  text += line_of(fmt::format("  {:<30} {:<9} {:<12} {}",
                              "READING",
                              "a",
                              "GROWS AS C^",
                              has_optimum ? "BEST PARAMS" : ""));
  text += reading_row(
      "as given",
      report.result.a,
      std::isnan(report.counted_growth) ? report.result.a : report.counted_growth,
      has_optimum ? report.optima.front().params.value() : FitResult::kUnknown,
      report.identified());
  for (const SensitivityRow& row : report.sensitivity) {
    text +=
        reading_row(row.reading,
                    row.a,
                    row.growth,
                    has_optimum && !row.optima.empty() ? row.optima.front().params.value()
                                                       : FitResult::kUnknown,
                    row.identified);
  }
  return text;
}

}  // namespace

std::string diagnosis_text(const FitReport& report) {
  std::string text;
  if (report.hold_out) {
    text += hold_out_text(*report.hold_out);
  }
  if (report.outliers) {
    text += outliers_text(*report.outliers, report);
  }
  if (!report.residuals.empty()) {
    text += residual_groups_text(report.residuals);
    text += worst_rows_text(report.residuals);
  }
  if (!report.sensitivity.empty()) {
    text += sensitivity_text(report);
  }
  return text;
}

}  // namespace sizewise::reporting

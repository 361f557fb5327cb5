#include "fitting/hold_out.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "fitting/residuals.hpp"
#include "fitting/row_selection.hpp"

namespace sizewise::fitting {
namespace {

constexpr std::size_t kLeastToHoldOut = 4;
// What makes a group worth predicting.
constexpr double kLeastRows = 3.0;
constexpr double kLeastShare = 0.04;

/// Fills in how far the law is from rows that it has not seen.
void measure(const RunTable& rows, HoldOutReport& report) {
  report.held = rows.rows();
  const std::vector<double> predicted = predicted_values(report.result.law, rows);
  const auto observed = rows.loss();
  double errors = 0.0;
  double sizes = 0.0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    errors += predicted[row] - observed[row];
    sizes += std::fabs(predicted[row] - observed[row]);
  }
  report.bias = errors / static_cast<double>(rows.rows());
  report.mean_absolute_error = sizes / static_cast<double>(rows.rows());
}

/// The best size for the largest budget held out, by both laws.
void compare_sizes(const FitJob& job, const FitResult& of_all, HoldOutReport& report) {
  const Question question{Question::Kind::kBudget, report.budget.value()};
  if (!std::isfinite(question.value) || !can_answer(report.result.law, question.kind)) {
    return;
  }
  report.params = answer(question, report.result.law, job.cost_model, {}).params;
  if (has_finite_law(of_all)) {
    report.params_of_all = answer(question, of_all.law, job.cost_model, {}).params;
  }
}

double largest_of(const std::vector<double>& flops) {
  double largest = FitResult::kUnknown;
  for (const double one : flops) {
    largest = one > largest || std::isnan(largest) ? one : largest;
  }
  return largest;
}

std::optional<HoldOutReport> predict_named(const FitJob& job,
                                           const RunTable& runs,
                                           const std::vector<std::size_t>& held,
                                           const FitResult& best) {
  if (held.empty() || !has_finite_law(best)) {
    return std::nullopt;
  }
  HoldOutReport report;
  report.rows_held = filters_text(job.request.hold_out);
  report.fitted = job.used.rows();
  report.result = best;
  const RunTable rows = runs.select(held);
  report.budget = Flops(largest_of(flops_of_rows(rows)));
  measure(rows, report);
  compare_sizes(job, FitResult(), report);
  return report;
}

}  // namespace

std::optional<HoldOutReport> hold_out(const FitJob& job,
                                      const RunTable& runs,
                                      const std::vector<std::size_t>& held,
                                      const FitResult& best) {
  if (!job.request.hold_out.empty()) {
    return predict_named(job, runs, held, best);
  }
  if (!job.request.leaves_out_largest || !job.used.has_numbers("loss")) {
    return std::nullopt;
  }
  const std::vector<double> flops = flops_of_rows(job.used);
  if (count_budgets(flops, kLeastToHoldOut) < kLeastToHoldOut) {
    return std::nullopt;
  }
  const double rows = kLeastShare * static_cast<double>(flops.size());
  const double from = least_of_largest_budget(flops, std::max(kLeastRows, rows));
  std::vector<double> weights(flops.size(), 1.0);
  std::vector<std::size_t> largest;
  for (std::size_t row = 0; row < flops.size(); ++row) {
    if (flops[row] >= from) {
      weights[row] = 0.0;
      largest.push_back(row);
    }
  }
  std::optional<FitResult> others = job.try_run({job.used, weights, nullptr});
  if (!others || !has_finite_law(*others)) {
    return std::nullopt;
  }
  HoldOutReport report;
  report.rows_held = fmt::format("flops>={:.6g}", from);
  report.fitted = flops.size() - largest.size();
  report.result = *std::move(others);
  report.budget = Flops(largest_of(flops));
  measure(job.used.select(largest), report);
  compare_sizes(job, best, report);
  return report;
}

}  // namespace sizewise::fitting

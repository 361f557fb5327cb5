#include "fitting/identifiability.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sizewise::fitting {
namespace {

constexpr double kLeastSpan = 10.0;  // largest N / smallest N
constexpr std::size_t kLeastBudgets = 3;
constexpr double kSameBudget = 1.1;
constexpr double kMostNotIdentified = 0.25;  // of the replicates
constexpr double kFarExtrapolation = 10.0;
constexpr double kSameTokens = 0.02;

void refuse(FitResult& result, std::string code, std::string message) {
  const bool is_known = std::any_of(
      result.reasons.begin(), result.reasons.end(), [&code](const Reason& reason) {
        return reason.code == code;
      });
  result.status = FitStatus::kNotIdentified;
  if (!is_known) {
    result.reasons.push_back({std::move(code), std::move(message)});
  }
}

double flops_of_row(const RunTable& runs, std::size_t row) {
  for (const char* column : {"budget_flops", "flops"}) {
    if (runs.has_numbers(column) && std::isfinite(runs.numbers(column)[row])) {
      return runs.numbers(column)[row];
    }
  }
  return 6.0 * runs.params()[row] * runs.tokens()[row];
}

void warn_of_optimum(FitReport& report, const Optimum& optimum) {
  const double budget = optimum.budget.value();
  if (optimum.extrapolation > kFarExtrapolation * 1.0001) {
    report.warnings.push_back(
        fmt::format("the budget {:.6g} is {:.3g} times the largest in the table: far "
                    "beyond the data",
                    budget,
                    optimum.extrapolation));
  }
  const double ratio = optimum.tokens.value() / optimum.params.value();
  if (ratio < report.ratio_seen.low || ratio > report.ratio_seen.high) {
    report.warnings.push_back(fmt::format(
        "the optimum for {:.6g} has {:.4g} units per parameter; the rows have "
        "{:.4g} to {:.4g}",
        budget,
        ratio,
        report.ratio_seen.low,
        report.ratio_seen.high));
  }
  const Law& law = report.result.law;
  if (law.form == "allocation") {
    const double asked =
        law.value("tokens.coefficient") * std::pow(budget, law.value("tokens.exponent"));
    if (!(std::fabs(asked / optimum.tokens.value() - 1.0) <= kSameTokens)) {
      report.warnings.push_back(fmt::format(
          "for {:.6g} the power law of tokens asks for {:.5g}; the budget pays "
          "for {:.5g} at the best size, which is what is given",
          budget,
          asked,
          optimum.tokens.value()));
    }
  }
}

}  // namespace

std::size_t count_budgets(const RunTable& runs) {
  std::vector<double> budgets;
  budgets.reserve(runs.rows());
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    budgets.push_back(flops_of_row(runs, row));
  }
  std::sort(budgets.begin(), budgets.end());
  std::size_t count = 0;
  double first = 0.0;
  for (const double budget : budgets) {
    if (budget > kSameBudget * first) {
      ++count;
      first = budget;
    }
  }
  return count;
}

void judge_rows(const RunTable& runs, FitResult& result) {
  if (runs.empty() || !runs.has_numbers("params") || !runs.has_numbers("tokens")) {
    return;  // the plugin has said what is missing
  }
  const auto [low, high] =
      std::minmax_element(runs.params().begin(), runs.params().end());
  if (!(*high >= kLeastSpan * 0.9999 * *low)) {
    refuse(result,
           "narrow_params",
           fmt::format("params span a factor of {:.4g} ({:.6g} to {:.6g}); {:.0f} are "
                       "needed to see how the loss falls with size",
                       *high / *low,
                       *low,
                       *high,
                       kLeastSpan));
  }
  const std::size_t budgets = count_budgets(runs);
  if (budgets < kLeastBudgets) {
    refuse(result,
           "few_budgets",
           fmt::format("the rows hold {} different budgets; at least {} are needed",
                       budgets,
                       kLeastBudgets));
  }
}

void judge_bootstrap(FitReport& report) {
  if (!report.bootstrap || report.bootstrap->replicates == 0) {
    return;
  }
  const BootstrapReport& bootstrap = *report.bootstrap;
  const int bad = bootstrap.failed + bootstrap.not_identified;
  const double share = static_cast<double>(bad) / bootstrap.replicates;
  const std::string what = fmt::format(
      "{} of {} resamples do not identify the law", bad, bootstrap.replicates);
  if (share > kMostNotIdentified) {
    refuse(report.result, "unstable_bootstrap", what);
  } else if (share > 1.0 - bootstrap.level) {
    report.warnings.push_back(what + ": the intervals are rough");
  }
}

void warn_of_optima(FitReport& report) {
  if (!report.cost_model.is_counted()) {
    report.warnings.emplace_back(
        "the FLOPs are not counted: a budget is taken as 6 * params * tokens");
  }
  for (const Optimum& optimum : report.optima) {
    warn_of_optimum(report, optimum);
  }
}

}  // namespace sizewise::fitting

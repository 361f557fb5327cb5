#include "fitting/identifiability.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "fitting/row_selection.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

constexpr double kLeastSpan = 10.0;  // largest N / smallest N
constexpr std::size_t kLeastBudgets = 3;
constexpr double kMostNotIdentified = 0.25;  // of the replicates

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

/// The reasons that most replicates gave, in words; empty where none gave any.
std::string kinds_of(const BootstrapReport& bootstrap) {
  std::vector<std::pair<int, std::string>> kinds;
  for (const auto& [code, count] : bootstrap.reasons) {
    kinds.emplace_back(-count, code);
  }
  std::sort(kinds.begin(), kinds.end());
  std::string text;
  for (const auto& [count, code] : kinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", -count, code);
  }
  if (bootstrap.failed > 0) {
    text += fmt::format("{}{} no law", text.empty() ? "" : ", ", bootstrap.failed);
  }
  return text;
}

}  // namespace

void judge_rows(const RunTable& runs, FitResult& result) {
  if (!runs.has_numbers("params") || !runs.has_numbers("tokens")) {
    return;  // the plugin has said what is missing
  }
  const Interval params = range_of(runs.params());
  if (!(params.high >= kLeastSpan * 0.9999 * params.low)) {
    refuse(result,
           "narrow_params",
           std::isnan(params.low)
               ? "no row has params"
               : fmt::format("params span a factor of {:.4g} ({:.6g} to {:.6g}); {:.0f} "
                             "are needed to see how the loss falls with size; add "
                             "models ten times smaller or larger than these",
                             params.high / params.low,
                             params.low,
                             params.high,
                             kLeastSpan));
  }
  const std::size_t budgets = count_budgets(flops_of_rows(runs), kLeastBudgets);
  if (budgets < kLeastBudgets) {
    refuse(
        result,
        "few_budgets",
        fmt::format("the rows hold {} different budget{}; at least {} are needed: train "
                    "on more, each a few times the last",
                    budgets,
                    budgets == 1 ? "" : "s",
                    kLeastBudgets));
  }
}

namespace {

/// The 95 % interval of the exponent a, whatever level is asked for.
std::optional<Interval> exponent_interval(const FitReport& report) {
  constexpr double kLevel = 0.95;
  if (report.bootstrap) {
    const auto draws = report.bootstrap->draws.find("a");
    return draws == report.bootstrap->draws.end()
               ? std::nullopt
               : std::optional(
                     bias_corrected_interval(draws->second, report.result.a, kLevel));
  }
  const auto error = report.hessian ? report.hessian->standard_error.find("a")
                                    : std::map<std::string, double>::const_iterator();
  if (!report.hessian || error == report.hessian->standard_error.end()) {
    return std::nullopt;
  }
  const double half = normal_half_width(kLevel) * error->second;
  return Interval{report.result.a - half, report.result.a + half};
}

}  // namespace

void judge_exponent(FitReport& report) {
  const std::optional<Interval> a = exponent_interval(report);
  if (!a || std::isnan(a->low) || (a->low > 0.0 && a->high < 1.0)) {
    return;
  }
  refuse(
      report.result,
      "wide_exponent",
      fmt::format("the 95 % interval of a in N* ~ C^a is {:.3g} to {:.3g}: the rows do "
                  "not show how to share a budget between size and data; add budgets "
                  "over a wider range, or repeat runs with other seeds",
                  a->low,
                  a->high));
}

void judge_bootstrap(FitReport& report) {
  if (!report.bootstrap || report.bootstrap->replicates == 0) {
    return;
  }
  const BootstrapReport& bootstrap = *report.bootstrap;
  const int bad = bootstrap.failed + bootstrap.not_identified;
  const double share = static_cast<double>(bad) / bootstrap.replicates;
  const std::string what = fmt::format("{} of {} resamples do not identify the law ({})",
                                       bad,
                                       bootstrap.replicates,
                                       kinds_of(bootstrap));
  if (share > kMostNotIdentified) {
    refuse(report.result,
           "unstable_bootstrap",
           what + "; add runs, or repeat some with other seeds");
  } else if (share > 1.0 - bootstrap.level) {
    report.warnings.push_back(what + ": the intervals are rough");
  }
}

}  // namespace sizewise::fitting

#include "fitting/recommend.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <unistd.h>

namespace sizewise::fitting {
namespace {

/// Whole samples nearest to what the budget pays for, at least one.
double units_for(Flops budget, double flops_per_unit, const DatasetInfo& data) {
  const auto step = static_cast<double>(data.units_per_sample);
  return std::max(1.0, std::round(budget.value() / flops_per_unit / step)) * step;
}

std::string reason_for(const FitReport& report,
                       const Optimum& optimum,
                       const Recommendation& made,
                       const SizeSpec& sizes,
                       bool counted) {
  constexpr double kFarOff = 1.25;
  std::string reason = fmt::format(
      "the law '{}' has its least loss on {:.4g} FLOPs at {:.4g} parameters; {} {} is "
      "the "
      "nearest size, and its cost {} pays for {:.4g} units",
      report.result.law.form,
      made.budget.value(),
      optimum.params.value(),
      sizes.name,
      made.size,
      counted ? "as counted" : "as extrapolated (it is too large to count here)",
      made.tokens.value());
  const double ratio = made.params.value() / optimum.params.value();
  if (ratio > kFarOff || ratio < 1 / kFarOff) {
    reason += fmt::format("; the model has no size nearer than {:.3g} times the optimum",
                          ratio);
  }
  if (made.extrapolation > 1) {
    reason += fmt::format("; the budget is {:.3g} times the largest one trained",
                          made.extrapolation);
  }
  return reason;
}

}  // namespace

Recommendation recommend(const FitReport& report,
                         const Optimum& optimum,
                         planning::SizeOracle& oracle,
                         const SizeSpec& sizes,
                         const DatasetInfo& data,
                         double largest_params) {
  Recommendation made;
  made.budget = optimum.budget;
  const std::array<double, 1> target = {optimum.params.value()};
  made.size = oracle.invert(target).at(0);
  const bool can_count = optimum.params.value() <= largest_params;
  double flops_per_unit = report.cost_model.flops_per_unit(optimum.params);
  made.params = optimum.params;
  if (can_count) {
    const std::array<int64_t, 1> size = {made.size};
    const SizeFacts facts = oracle.describe(size, false).at(0);
    flops_per_unit = facts.flops_per_unit;
    made.params = facts.params;
  }
  made.tokens = Units(units_for(optimum.budget, flops_per_unit, data));
  made.loss = predicted_loss(report.result.law, made.params, made.tokens).value();
  const Interval interval = optimum.params_interval.value_or(Interval{});
  made.params_low = Parameters(interval.low);
  made.params_high = Parameters(interval.high);
  made.extrapolation = optimum.extrapolation;
  made.cost_model = report.cost_model.name();
  made.reason = reason_for(report, optimum, made, sizes, can_count);
  return made;
}

double largest_buildable_params() {
  constexpr double kBytesPerParameter = 16;
  const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(::sysconf(_SC_PAGESIZE));
  return memory / 2 / kBytesPerParameter;
}

}  // namespace sizewise::fitting

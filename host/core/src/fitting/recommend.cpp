#include "fitting/recommend.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sizewise::fitting {
namespace {

/// Whole samples nearest to what the budget pays for, at least one.
double units_for(Flops budget, double flops_per_unit, const DatasetInfo& data) {
  const auto step = static_cast<double>(data.units_per_sample);
  return std::max(1.0, std::round(budget.value() / flops_per_unit / step)) * step;
}

/// Why the model is not nearer to the optimum; empty where it is near enough.
std::string distance_reason(const Recommendation& made,
                            double ratio,
                            const SizeSpec& sizes) {
  constexpr double kFarOff = 1.25;
  if (ratio >= 1 / kFarOff && ratio <= kFarOff) {
    return {};
  }
  const bool is_larger_wanted = ratio < 1;
  if (sizes.allows(made.size + (is_larger_wanted ? 1 : -1) * sizes.multiple_of)) {
    return fmt::format("; the model has no size nearer than {:.3g} times the optimum",
                       ratio);
  }
  return fmt::format(
      "; that is the {} {} that the model has ({:.0f} parameters), and the best one lies "
      "beyond it: let the model have {} sizes, or spend a {} budget",
      is_larger_wanted ? "largest" : "smallest",
      sizes.name,
      made.params.value(),
      is_larger_wanted ? "larger" : "smaller",
      is_larger_wanted ? "smaller" : "larger");
}

std::string reason_for(const FitReport& report,
                       const Optimum& optimum,
                       const Recommendation& made,
                       const SizeSpec& sizes,
                       bool is_counted) {
  std::string reason = fmt::format(
      "the law '{}' has its least loss on {:.4g} FLOPs at {:.4g} parameters; {} {} is "
      "the nearest size, and its cost {} pays for {:.4g} {}s",
      report.result.law.form,
      made.budget.value(),
      optimum.params.value(),
      sizes.name,
      made.size,
      is_counted ? "as counted" : "as extrapolated (it is too large to count here)",
      made.tokens.value(),
      made.unit);
  reason += distance_reason(made, made.params.value() / optimum.params.value(), sizes);
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
                         Parameters largest) {
  Recommendation made;
  made.budget = optimum.budget;
  const std::array<double, 1> target = {optimum.params.value()};
  made.size = oracle.invert(target, largest).at(0);
  made.params = oracle.params_of(made.size);
  const bool can_count = made.params <= largest;
  double flops_per_unit = report.cost_model.flops_per_unit(made.params);
  if (can_count) {
    const std::array<int64_t, 1> size = {made.size};
    flops_per_unit = oracle.describe(size, false).at(0).flops_per_unit;
  }
  made.tokens = Units(units_for(optimum.budget, flops_per_unit, data));
  made.unit = data.unit;
  made.loss = predicted_loss(report.result.law, made.params, made.tokens).value();
  const Interval interval = optimum.params_interval.value_or(Interval{});
  made.params_low = Parameters(interval.low);
  made.params_high = Parameters(interval.high);
  made.extrapolation = optimum.extrapolation;
  made.cost_model = report.cost_model.name();
  made.reason = reason_for(report, optimum, made, sizes, can_count);
  return made;
}

}  // namespace sizewise::fitting

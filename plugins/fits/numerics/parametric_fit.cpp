#include "parametric_fit.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "chinchilla_search.hpp"
#include "identification.hpp"
#include "law_uncertainty.hpp"

namespace sizewise::fits {
namespace {

constexpr std::size_t kParameters = 5;
constexpr double kAbsoluteDelta = 1e-12;  // below what any residual means

std::size_t distinct_pairs(const LawRows& rows) {
  std::set<std::pair<double, double>> pairs;
  for (std::size_t row = 0; row < rows.size() && pairs.size() <= kParameters; ++row) {
    pairs.emplace(rows.x[row], rows.y[row]);
  }
  return pairs.size();
}

FitResult too_few(std::size_t pairs) {
  FitResult result;
  result.law.form = "chinchilla";
  for (const char* name : {"E", "A", "B", "alpha", "beta"}) {
    result.law.values[name] = FitResult::kUnknown;
  }
  refuse_identification(result,
                        "few_rows",
                        "the rows hold " + std::to_string(pairs) +
                            " different pairs of params and tokens; a law of " +
                            std::to_string(kParameters) + " parameters needs at least " +
                            std::to_string(kParameters + 1));
  return result;
}

bool can_start_from(const FitResult* warm_start) {
  if (warm_start == nullptr || warm_start->law.form != "chinchilla") {
    return false;
  }
  for (const auto& [name, value] : warm_start->law.values) {
    if (!std::isfinite(value) || value < 0.0) {
      return false;
    }
  }
  return warm_start->law.value("alpha") > 0.0 && warm_start->law.value("beta") > 0.0;
}

}  // namespace

ParametricSettings parametric_settings(const Options& options, ResidualKind residual) {
  ParametricSettings settings;
  const auto loss = options.get<std::string>("loss");
  settings.residual = residual;
  settings.absolute = loss == "l1";
  settings.delta = loss == "mse" ? std::numeric_limits<double>::infinity()
                                 : options.get<double>("delta");
  settings.mean = options.get<std::string>("reduction") == "mean";
  return settings;
}

FitResult fit_parametric_law(const FitInput& input, const ParametricSettings& settings) {
  const LawRows rows = law_rows(input.runs, input.weights);
  const std::size_t pairs = distinct_pairs(rows);
  if (pairs <= kParameters) {
    return too_few(pairs);
  }
  const double delta = settings.absolute ? kAbsoluteDelta : settings.delta;
  const ChinchillaObjective objective(
      rows, settings.residual, delta, HeldValues(input.fixed, rows));
  const LawMinimum minimum =
      can_start_from(input.warm_start)
          ? polish(objective, point_of_law(input.warm_start->law, rows))
          : find_minimum(objective);
  FitResult result;
  result.law = law_of_point(minimum.point, rows);
  result.objective = objective.in_table_units(minimum.value);
  result.starts_tried = minimum.starts;
  result.starts_within_tenth_percent = minimum.starts_within_tenth_percent;
  const double alpha = result.law.value("alpha");
  const double beta = result.law.value("beta");
  result.a = beta / (alpha + beta);
  result.b = alpha / (alpha + beta);
  judge_parametric_law(objective, minimum.point, result);
  if (input.weights.empty() && minimum.point.allFinite()) {
    describe_uncertainty(objective, minimum.point, input.noise, result);
  }
  const double unit =
      (settings.absolute ? delta : 1.0) * (settings.mean ? rows.total_weight : 1.0);
  result.objective /= unit;
  result.dispersion /= unit;
  return result;
}

}  // namespace sizewise::fits

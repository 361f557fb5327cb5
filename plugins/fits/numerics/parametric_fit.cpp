#include "parametric_fit.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "sizewise/error.hpp"

#include "chinchilla_search.hpp"
#include "identification.hpp"
#include "law_checks.hpp"
#include "law_uncertainty.hpp"

namespace sizewise::fits {
namespace {

constexpr std::size_t kParameters = 5;

/// The law of rows that are too few for any.
FitResult unknown_law() {
  FitResult result;
  result.law.form = "chinchilla";
  for (const char* key : kLawKeys) {
    result.law.values[key] = FitResult::kUnknown;
  }
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

/// The starts that a user adds to the search.
std::vector<LawPoint> more_starts(const ParametricSettings& settings,
                                  const LawRows& rows) {
  std::vector<LawPoint> starts;
  if (settings.start.size() == kParameters) {
    const auto& s = settings.start;
    constexpr double kLeastExponent = 1e-6;
    const Law law{"chinchilla",
                  {{"A", std::exp(s[0])},
                   {"B", std::exp(s[1])},
                   {"E", std::exp(s[2])},
                   {"alpha", std::max(s[3], kLeastExponent)},
                   {"beta", std::max(s[4], kLeastExponent)}},
                  {}};
    starts.push_back(point_of_law(law, rows));
  }
  std::mt19937_64 random(0);
  std::uniform_real_distribution<double> logarithm(-6.0, 3.0);
  for (int i = 0; i < settings.random_starts; ++i) {
    LawPoint point;
    for (double& coordinate : point) {
      coordinate = logarithm(random);
    }
    point.head<3>() = point.head<3>().array().exp();
    starts.push_back(point);
  }
  return starts;
}

FitResult result_of(const ChinchillaObjective& objective, const Search<5>& search) {
  FitResult result;
  result.law = law_of_point(search.best.point, objective.rows());
  result.objective = objective.in_table_units(search.best.value);
  result.starts_tried = search.starts;
  result.starts_within_tenth_percent = search.starts_within_tenth_percent;
  const double alpha = result.law.value("alpha");
  const double beta = result.law.value("beta");
  result.a = beta / (alpha + beta);
  result.b = alpha / (alpha + beta);
  judge_parametric_law(objective, search.best.point, result);
  if (search.best.point.allFinite() && !search.best.converged) {
    refuse_identification(result,
                          "not_converged",
                          "the descent to the minimum ended before its steps became "
                          "small; try another --fit-option delta or loss=mse");
  }
  return result;
}

}  // namespace

ParametricSettings parametric_settings(const Options& options, ResidualKind residual) {
  ParametricSettings settings;
  static_cast<RobustSettings&>(settings) = robust_settings(options);
  settings.residual = residual;
  settings.random_starts = static_cast<int>(options.get<int64_t>("starts"));
  settings.start = options.get<std::vector<double>>("start");
  if (!settings.start.empty() && settings.start.size() != kParameters) {
    throw Error(ErrorCode::kConfiguration,
                "the option 'start' holds " + std::to_string(settings.start.size()) +
                    " numbers; allowed: 5 (ln A, ln B, ln E, alpha, beta) or none");
  }
  return settings;
}

FitResult fit_parametric_law(const FitInput& input, const ParametricSettings& settings) {
  const LawRows rows = law_rows(input);
  FitResult unknown = unknown_law();
  if (judge_row_count(rows, kParameters, unknown)) {
    return unknown;
  }
  const ChinchillaObjective objective(
      rows, settings.residual, settings.working_delta(), HeldValues(input.fixed, rows));
  const Search<5> search =
      can_start_from(input.warm_start)
          ? polish(objective, point_of_law(input.warm_start->law, rows))
          : find_minimum(objective, more_starts(settings, rows));
  FitResult result = result_of(objective, search);
  // Refits tell values alone.
  if (input.warm_start == nullptr && search.best.point.allFinite()) {
    describe_uncertainty(objective, search.best.point, input.noise, result);
    if (input.fixed.empty()) {
      judge_floor(objective, search.best, result);
      judge_lack_of_fit(objective, search.best.point, input.noise, result);
    }
  }
  const double unit = settings.unit(rows.total_weight);
  result.objective /= unit;
  result.dispersion /= unit;
  return result;
}

}  // namespace sizewise::fits

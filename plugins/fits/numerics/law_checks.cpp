#include "law_checks.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/tools/minima.hpp>

#include "chinchilla_search.hpp"
#include "identification.hpp"
#include "interaction_law.hpp"
#include "jet_problem.hpp"
#include "law_uncertainty.hpp"
#include "number_text.hpp"

namespace sizewise::fits {
namespace {

/// What a likelihood ratio of one degree of freedom stays below in 95 of 100 cases.
double usual_ratio() {
  return boost::math::quantile(boost::math::chi_squared(1.0), 0.95);
}

/// ln N, on its axis, that predicts the least loss for 6 N D = C, among sizes up to ten
/// times outside those of the rows.
double best_size(const InteractionPoint& point, const LawRows& rows, double log_budget) {
  const double margin = std::log(10.0);
  const auto loss_at = [&](double log_size) {
    const double log_data = log_budget - std::log(6.0) - log_size;
    return InteractionLaw::predicted(point.data(),
                                     (log_size - rows.params.origin) / rows.params.scale,
                                     (log_data - rows.tokens.origin) / rows.tokens.scale);
  };
  constexpr int kSteps = 64;
  const double low = rows.params.origin - margin;
  const double step = (rows.params.scale + 2.0 * margin) / kSteps;
  int best = 0;
  for (int i = 1; i <= kSteps; ++i) {
    best = loss_at(low + i * step) < loss_at(low + best * step) ? i : best;
  }
  constexpr int kBits = 24;  // half of a double's: what a minimum shows
  return boost::math::tools::brent_find_minima(
             loss_at, low + (best - 1) * step, low + (best + 1) * step, kBits)
      .first;
}

double largest_log_budget(const LawRows& rows) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    largest = std::max(largest,
                       rows.x[row] * rows.params.scale + rows.y[row] * rows.tokens.scale);
  }
  return largest + rows.params.origin + rows.tokens.origin + std::log(6.0);
}

InteractionPoint without_interaction(const LawPoint& point) {
  InteractionPoint wider;
  wider << point, 0.0;
  return wider;
}

}  // namespace

void judge_floor(const ChinchillaObjective& objective,
                 const RobustMinimum<5>& minimum,
                 FitResult& result) {
  if (!is_negligible_term(minimum.point, 0) || !(result.dispersion > 0.0)) {
    return;
  }
  constexpr double kNearly = 0.95;
  const LawRows& rows = objective.rows();
  const double least =
      std::exp(*std::min_element(rows.z.begin(), rows.z.end()) + rows.loss.origin);
  const HeldValues held({{"E", kNearly * least}}, rows);
  const ChinchillaObjective raised(rows, objective.kind(), objective.table_delta(), held);
  const double rise =
      objective.in_table_units(find_minimum(raised).best.value - minimum.value);
  if (2.0 * rise / result.dispersion < usual_ratio()) {
    refuse_identification(result,
                          "unbounded_floor",
                          "every E from 0 to " + number_text(kNearly * least) +
                              " fits the rows as well: they do not show where the loss "
                              "levels off; add larger budgets, or a lower --noise if "
                              "it is known");
  } else {
    result.warnings.emplace_back(
        "E is at its lower end, 0: the rows show no irreducible loss");
  }
}

void judge_lack_of_fit(const ChinchillaObjective& objective,
                       const LawPoint& point,
                       double noise,
                       FitResult& result) {
  const LawRows few = sampled(objective.rows(), kSearchRows);
  const ChinchillaObjective sample = objective.on(few);
  const ChinchillaObjective base =
      sample.with_scaled_delta(least_smooth_delta(sample, sample.value(point)));
  const auto narrow = descend_all<5>(base, {point});
  const InteractionLaw law(base);
  const JetProblem<6, InteractionLaw> problem(law, base.delta());
  constexpr double kExact = 1e-24;  // mean squared residual: a ratio would be rounding
  if (narrow.empty() || narrow.front().value <= kExact * few.total_weight) {
    return;
  }
  const auto wide = descend_all<6>(problem, {without_interaction(narrow.front().point)});
  if (wide.empty()) {
    return;
  }
  RobustColumns<6> columns(few.weight);
  problem.linearize(wide.front().point, nullptr, columns);
  columns.residual.resize(few.size());
  const LossMoments moments = moments_of(base, columns.residual, noise, 6);
  const double ratio =
      2.0 * (narrow.front().value - wide.front().value) / moments.dispersion();
  if (!(ratio > usual_ratio())) {
    return;
  }
  const double budget = largest_log_budget(few);
  const double shift = best_size(wide.front().point, few, budget) -
                       best_size(without_interaction(narrow.front().point), few, budget);
  constexpr double kMostFactor = 3.0;
  const std::string what =
      "lack of fit: a law with an interaction of params and tokens fits better "
      "(likelihood ratio " +
      number_text(ratio) + ", usual below " + number_text(usual_ratio()) +
      "); under it N* of the largest budget is " + number_text(std::exp(shift)) +
      " times as large";
  if (std::fabs(shift) > std::log(kMostFactor)) {
    refuse_identification(result,
                          "lack_of_fit",
                          what + ", more than a factor of " + number_text(kMostFactor) +
                              ": fit rows that were trained alike (--where), or add "
                              "budgets near the one that matters");
  } else {
    result.warnings.push_back(what);
  }
}

}  // namespace sizewise::fits

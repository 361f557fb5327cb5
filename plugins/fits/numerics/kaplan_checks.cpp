#include "kaplan_checks.hpp"

#include <algorithm>
#include <cmath>

#include "chinchilla_search.hpp"
#include "jet_problem.hpp"
#include "law_rival.hpp"
#include "law_uncertainty.hpp"

namespace sizewise::fits {
namespace {

/// ln N* of the largest budget under a law in the table's units.
double best_size_under(const Law& law, const LawRows& rows) {
  return best_log_size(rows, [&](double x, double y) {
    return predicted_loss(
               law,
               Parameters(std::exp(rows.params.origin + rows.params.scale * x)),
               Units(std::exp(rows.tokens.origin + rows.tokens.scale * y)))
        .value();
  });
}

}  // namespace

void judge_kaplan_law(const LawRows& rows,
                      const KaplanLaw& law,
                      const KaplanLaw::Point& point,
                      double delta,
                      double noise,
                      FitResult& result) {
  const LawRows few = sampled(rows, kSearchRows);
  const KaplanLaw sample = law.on(few);
  const JetProblem<4, KaplanLaw> sharp(sample, delta);
  RobustColumns<4> columns(few.weight);
  sharp.linearize(point, nullptr, columns);
  const double smooth =
      least_smooth_delta(sharp, robust_value(columns.weight, columns.residual, delta));
  const auto own = descend_all<4>(sharp.with_scaled_delta(smooth), {point});
  if (own.empty() || own.front().value <= kExactFit * few.total_weight) {
    return;
  }
  const ChinchillaObjective objective(few, ResidualKind::kLog, smooth);
  const RobustMinimum<5> other = find_minimum(objective).best;
  if (!other.point.allFinite()) {
    return;
  }
  const double dispersion =
      moments_of(objective, objective.residuals(other.point), noise, 5).dispersion();
  LawRival rival;
  rival.name = "the law of approach3 (E + A / params^alpha + B / tokens^beta)";
  rival.ratio = 2.0 * (own.front().value - other.value) / std::max(dispersion, kExactFit);
  rival.log_shift = best_size_under(law_of_point(other.point, few), few) -
                    best_size_under(law.law(own.front().point), few);
  rival.remedy = "fit approach3";
  judge_rival(rival, result);
}

}  // namespace sizewise::fits

#include "law_checks.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "chinchilla_search.hpp"
#include "identification.hpp"
#include "interaction_law.hpp"
#include "jet_problem.hpp"
#include "law_rival.hpp"
#include "law_uncertainty.hpp"
#include "number_text.hpp"

namespace sizewise::fits {
namespace {

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
  if (narrow.empty() || narrow.front().value <= kExactFit * few.total_weight) {
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
  const auto best_size = [&few](const InteractionPoint& there) {
    return best_log_size(few, [&there](double x, double y) {
      return InteractionLaw::predicted(there.data(), x, y);
    });
  };
  LawRival rival;
  rival.name = "a law with an interaction of params and tokens";
  rival.ratio = 2.0 * (narrow.front().value - wide.front().value) / moments.dispersion();
  rival.log_shift = best_size(wide.front().point) -
                    best_size(without_interaction(narrow.front().point));
  rival.remedy =
      "fit rows that were trained alike (--where), or add budgets near the one that "
      "matters";
  judge_rival(rival, result);
}

}  // namespace sizewise::fits

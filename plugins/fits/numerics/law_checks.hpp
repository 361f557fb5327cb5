#pragma once

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"
#include "robust_minimizer.hpp"

namespace sizewise::fits {

/// Looks at a law whose E is 0, its lower end: where any E up to nearly the lowest loss
/// fits the rows as well (95 % of its likelihood ratio), the law is not identified; else
/// the result warns. `result.dispersion` must be known.
void judge_floor(const ChinchillaObjective& objective,
                 const RobustMinimum<5>& minimum,
                 FitResult& result);

/// Compares the law with one that has an interaction, G/(N^alpha D^beta) more: where that
/// fits better than chance (95 % of the likelihood ratio), the result warns of how far N*
/// of the largest budget (6 N D) moves; beyond a factor of 3 the law is not identified.
/// @param noise standard deviation of ln loss, NaN: from the residuals
void judge_lack_of_fit(const ChinchillaObjective& objective,
                       const LawPoint& point,
                       double noise,
                       FitResult& result);

}  // namespace sizewise::fits

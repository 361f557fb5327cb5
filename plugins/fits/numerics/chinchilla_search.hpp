#pragma once

#include <vector>

#include "chinchilla_objective.hpp"

namespace sizewise::fits {

/// A minimum and how it was found.
struct LawMinimum {
  LawPoint point = LawPoint::Constant(FitResult::kUnknown);
  double value = FitResult::kUnknown;  ///< of the objective, in the rows' scale
  int starts = 0;
  int starts_within_tenth_percent = 0;
  bool converged = false;
};

/// The least value over all of the law's points: the objective's profile over a grid of
/// (alpha, beta), where E, A and B follow by reweighted non-negative least squares, then
/// Newton's method from every local minimum of that grid and from the lowest nodes.
/// Tables of more than `kSearchRows` rows are searched on a sample and polished on all
/// rows.
[[nodiscard]] LawMinimum find_minimum(const ChinchillaObjective& objective);

/// Newton's method from one point, through a falling sequence of deltas where the rows
/// are far from the law. What a bootstrap's refits use.
[[nodiscard]] LawMinimum polish(const ChinchillaObjective& objective,
                                const LawPoint& start);

inline constexpr std::size_t kSearchRows = 1500;

}  // namespace sizewise::fits

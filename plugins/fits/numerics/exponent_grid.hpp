#pragma once

#include <cstddef>
#include <vector>

#include "chinchilla_objective.hpp"

namespace sizewise::fits {

/// A node of the grid over (alpha, beta) with the best E, A and B for it.
struct GridNode {
  LawPoint point;
  double value = 0.0;  ///< of the objective
};

/// The profile of an objective over exponents: at every node of a logarithmic grid of the
/// scaled alpha and beta the law is linear in E, A and B, which follow by iteratively
/// reweighted non-negative least squares on relative residuals.
/// Source: Golub and Pereyra 2003, "Separable nonlinear least squares", section 2
/// (variable projection); Lawson and Hanson 1974, chapter 23 (non-negative least
/// squares).
class ExponentGrid {
 public:
  explicit ExponentGrid(const ChinchillaObjective& objective);

  [[nodiscard]] const std::vector<GridNode>& nodes() const { return nodes_; }
  /// The nodes no higher than their eight neighbours, lowest first.
  [[nodiscard]] std::vector<GridNode> local_minima() const;

 private:
  std::size_t side_;
  std::vector<GridNode> nodes_;
};

}  // namespace sizewise::fits

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

/// The profile of an objective over exponents: at every node of a logarithmic grid, from
/// nearly straight lines to a step at the smallest value, the law is linear in E, A and
/// B, which follow by iteratively reweighted non-negative least squares on relative
/// residuals. Values that are held stay so.
/// Source: Golub and Pereyra 2003, "Separable nonlinear least squares", section 2
/// (variable projection); Lawson and Hanson 1974, chapter 23 (non-negative least
/// squares).
class ExponentGrid {
 public:
  explicit ExponentGrid(const ChinchillaObjective& objective);

  [[nodiscard]] const std::vector<GridNode>& nodes() const { return nodes_; }
  /// Where descents start, so that basins are hardly missed: nodes no higher than their
  /// eight neighbours, the lowest of all, and of each block of 5 by 5 the lowest where
  /// least squares give the terms only nearly; lowest first.
  [[nodiscard]] std::vector<GridNode> starts() const;

 private:
  [[nodiscard]] const GridNode& at(std::size_t i, std::size_t j) const {
    return nodes_[i * side_b_ + j];
  }
  [[nodiscard]] bool is_local_minimum(std::size_t i, std::size_t j) const;

  /// Values of nodes are the least over E, A and B, not only near it: basins then show
  /// among neighbours alone.
  bool is_profile_;
  std::size_t side_a_ = 0;
  std::size_t side_b_ = 0;
  std::vector<GridNode> nodes_;
};

}  // namespace sizewise::fits

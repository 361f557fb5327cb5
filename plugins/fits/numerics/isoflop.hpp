#pragma once

#include <span>
#include <vector>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// The least-squares parabola through one budget's losses over the decimal logarithm of a
/// column.
struct Parabola {
  double budget = 0.0;     ///< C
  double vertex = 0.0;     ///< value of the column where the parabola turns
  double curvature = 0.0;  ///< of the loss, per squared decade; above 0: a minimum
  double least = 0.0;      ///< the column's range in this budget
  double most = 0.0;
  double residual = 0.0;  ///< weighted sum of squares
  int distinct = 0;       ///< different values of the column

  [[nodiscard]] bool has_minimum() const { return curvature > 0.0; }
  [[nodiscard]] bool is_inside() const {
    return has_minimum() && vertex >= least && vertex <= most;
  }
};

/// One parabola a budget, ascending; budgets with fewer than 3 different values are left
/// out. Rows without a budget are too. `weights` empty: every row once.
/// @throws Error kInput where a column is missing or holds a value not finite and above 0
[[nodiscard]] std::vector<Parabola> isoflop_parabolas(const RunTable& runs,
                                                      std::string_view column,
                                                      std::span<const double> weights);

/// The IsoFLOP approach: parabolas over params and over tokens, a power law through each
/// series of vertices. Source: Hoffmann et al. 2022 (arXiv 2203.15556), section 3.2.
/// @throws Error kInput as isoflop_parabolas() does
[[nodiscard]] FitResult fit_isoflop(const FitInput& input, bool allow_outside_vertex);

}  // namespace sizewise::fits

#pragma once

#include <vector>

#include "sizewise/fit.hpp"

#include "law_columns.hpp"
#include "robust_settings.hpp"

namespace sizewise::fits {

/// How the parametric law is fitted.
struct ParametricSettings : RobustSettings {
  ResidualKind residual = ResidualKind::kLog;
  /// More starts for the search: random ones, so many, and one given as ln A, ln B, ln E,
  /// alpha, beta (or none: empty). The search of the grid is done all the same.
  int random_starts = 0;
  std::vector<double> start;
};

/// Reads the options `loss`, `delta`, `reduction`, `starts` and `start`.
/// @throws Error kConfiguration where `start` holds other than 0 or 5 numbers
[[nodiscard]] ParametricSettings parametric_settings(const Options& options,
                                                     ResidualKind residual);

/// Fits L = E + A/N^alpha + B/D^beta: the global minimum, or from `input.warm_start` the
/// minimum next to it. What the data do not identify is a result with its reasons.
/// @throws Error kInput as law_rows() does and where no row counts; kConfiguration as
/// HeldValues does
[[nodiscard]] FitResult fit_parametric_law(const FitInput& input,
                                           const ParametricSettings& settings);

}  // namespace sizewise::fits

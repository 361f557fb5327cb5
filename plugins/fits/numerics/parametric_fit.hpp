#pragma once

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"

namespace sizewise::fits {

/// How the parametric law is fitted.
struct ParametricSettings {
  ResidualKind residual = ResidualKind::kLog;
  /// Huber's delta, in units of the residual; infinite: squared error.
  double delta = 1e-3;
  /// The sum of |residual| instead: Huber's limit of a delta near 0, divided by it.
  bool absolute = false;
  /// The objective reported is divided by the sum of the weights. The minimum is the
  /// same.
  bool mean = false;
};

/// Reads the options `loss`, `delta` and `reduction`.
[[nodiscard]] ParametricSettings parametric_settings(const Options& options,
                                                     ResidualKind residual);

/// Fits L = E + A/N^alpha + B/D^beta: the global minimum, or from `input.warm_start` the
/// minimum next to it. What the data do not identify is a result with its reasons.
/// @throws Error kInput as law_rows() does, kConfiguration as HeldValues does
[[nodiscard]] FitResult fit_parametric_law(const FitInput& input,
                                           const ParametricSettings& settings);

}  // namespace sizewise::fits

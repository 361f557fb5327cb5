#pragma once

#include "sizewise/options.hpp"

namespace sizewise::fits {

/// What a residual costs, as the options `loss`, `delta` and `reduction` say.
struct RobustSettings {
  /// Huber's delta, in units of the residual; infinite: squared error.
  double delta = 1e-3;
  /// The sum of |residual| instead: Huber's limit of a delta near 0, divided by it.
  bool absolute = false;
  /// The objective reported is divided by the sum of the weights. The minimum is the
  /// same.
  bool mean = false;

  /// The delta that is minimised with.
  [[nodiscard]] double working_delta() const;
  /// What an objective minimised with working_delta() is divided by.
  [[nodiscard]] double unit(double total_weight) const;
};

[[nodiscard]] RobustSettings robust_settings(const Options& options);

}  // namespace sizewise::fits

#pragma once

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"

namespace sizewise::fits {

/// The moments of a robust loss over residuals that describe how sure its minimum is:
/// psi is the loss's slope.
struct LossMoments {
  double squared_slope = FitResult::kUnknown;  ///< E psi^2
  double curvature = FitResult::kUnknown;      ///< E psi'

  /// What 2 (objective - least objective) is divided by to be compared with chi-squared.
  /// Source: Heritier and Ronchetti 1994, section 3.
  [[nodiscard]] double dispersion() const { return squared_slope / curvature; }
  /// Times (J'J)^-1: the parameters' covariance. Source: Huber 1981, Robust Statistics,
  /// equation 7.6.5.
  [[nodiscard]] double variance() const {
    return squared_slope / (curvature * curvature);
  }
};

/// The moments from the residuals of a fit of `parameters` free values. Where delta is
/// far below the residuals, E psi' is their density at 0 times 2 delta: a kernel estimate
/// (Powell 1991, section 3) with Silverman's bandwidth, corrected for its smoothing as a
/// normal density needs; as many of the smallest residuals as there are parameters are
/// left out, since the fit drew them to 0.
[[nodiscard]] LossMoments moments_of_residuals(const std::vector<double>& residuals,
                                               const std::vector<double>& weights,
                                               const RobustLoss& loss,
                                               int parameters);

/// The moments where residuals are normal with these standard deviations.
[[nodiscard]] LossMoments moments_of_noise(const std::vector<double>& deviations,
                                           const std::vector<double>& weights,
                                           const RobustLoss& loss);

/// Fills in `parameters`, `covariance` and `dispersion` of the law at a minimum. A term
/// that the rows do not want (E at 0) is no free value; where the covariance does not
/// exist it stays empty.
/// @param noise standard deviation of ln loss, NaN: from the residuals
void describe_uncertainty(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          double noise,
                          FitResult& result);

}  // namespace sizewise::fits

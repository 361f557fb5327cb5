#pragma once

#include <array>
#include <vector>

#include <Eigen/Core>

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

/// d (E, A, B, alpha, beta) / d coordinates of a point; A or B do not follow their
/// exponent where they are held.
[[nodiscard]] Eigen::Matrix<double, 5, 5> law_units(const LawPoint& point,
                                                    const LawRows& rows,
                                                    const std::array<bool, 2>& is_held);

/// The moments at an objective's residuals: of noise where that is known (standard
/// deviation of ln loss), else of the residuals themselves.
[[nodiscard]] LossMoments moments_of(const ChinchillaObjective& objective,
                                     const std::vector<double>& residuals,
                                     double noise,
                                     int parameters);

/// Fills in `parameters`, `covariance` and `dispersion` of the law at a minimum. A term
/// that the rows do not want (E at 0) is no free value; where the covariance does not
/// exist it stays empty.
/// @param noise standard deviation of ln loss, NaN: from the residuals
void describe_uncertainty(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          double noise,
                          FitResult& result);

}  // namespace sizewise::fits

#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include <Eigen/Core>

namespace sizewise::fits {

/// Residuals of a table's rows near a point, to second order: residual + jacobian . step,
/// and what their own curvature adds to the objective. Columns are as long as a whole
/// number of packets; rows past the table's end weigh nothing.
template <int Size>
struct RobustColumns {
  using Point = Eigen::Matrix<double, Size, 1>;
  using Matrix = Eigen::Matrix<double, Size, Size>;

  std::vector<double> weight;
  std::vector<double> residual;
  std::array<std::vector<double>, Size> jacobian;
  /// Sum over rows of weight * slope of the loss * second derivatives of the residual.
  Matrix curvature = Matrix::Zero();

  explicit RobustColumns(const std::vector<double>& weights);
};

/// Sums over rows of weight * Huber's loss of some residuals.
template <int Size>
struct RobustSums {
  double value = std::numeric_limits<double>::quiet_NaN();
  Eigen::Matrix<double, Size, 1> gradient;
  /// J' W J over the rows on the loss's parabola.
  Eigen::Matrix<double, Size, Size> hessian;
};

inline constexpr std::size_t kMostLanes = 8;

/// The least multiple of kMostLanes that holds so many rows.
[[nodiscard]] constexpr std::size_t padded(std::size_t rows) {
  return (rows + kMostLanes - 1) / kMostLanes * kMostLanes;
}

template <int Size>
RobustColumns<Size>::RobustColumns(const std::vector<double>& weights)
    : weight(weights), residual(padded(weights.size()), 0.0) {
  weight.resize(residual.size(), 0.0);
  jacobian.fill(residual);
}

/// The sums at residuals that stand in place of the columns' own. Sizes: 3 to 7.
template <int Size>
[[nodiscard]] RobustSums<Size> robust_sums(const RobustColumns<Size>& columns,
                                           const std::vector<double>& residual,
                                           double delta);

/// change = jacobian . step.
template <int Size>
void residual_change(const RobustColumns<Size>& columns,
                     const Eigen::Matrix<double, Size, 1>& step,
                     std::vector<double>& change);

/// d/dt of the sum of weight * loss(residual + t * change).
[[nodiscard]] double robust_slope(const std::vector<double>& weight,
                                  const std::vector<double>& residual,
                                  const std::vector<double>& change,
                                  double delta,
                                  double t);

/// The sum of weight * loss(residual).
[[nodiscard]] double robust_value(const std::vector<double>& weight,
                                  const std::vector<double>& residual,
                                  double delta);

}  // namespace sizewise::fits

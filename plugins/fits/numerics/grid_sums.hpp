#pragma once

#include <cstddef>
#include <vector>

#include <Eigen/Core>

namespace sizewise::fits {

/// Columns of a law that is linear in three terms once its exponents are given: residual
/// = (terms[0] + terms[1] u + terms[2] v) * per - target. All are padded() long; past
/// the table's end the weight is 0 and the rest 1.
struct GridColumns {
  std::vector<double> weight;
  std::vector<double> per;     ///< makes residuals of L relative, or 1
  std::vector<double> target;  ///< L times that
};

/// The normal equations matrix * terms = vector of weighted least squares.
struct NormalEquations {
  Eigen::Matrix3d matrix;
  Eigen::Vector3d vector;
};

/// The equations where each row's weight is multiplied by delta / max(|residual|, delta),
/// the residual being that of some terms. An infinite delta changes no weight.
[[nodiscard]] NormalEquations reweighted_equations(const GridColumns& columns,
                                                   const std::vector<double>& u,
                                                   const std::vector<double>& v,
                                                   const Eigen::Vector3d& terms,
                                                   double delta);

/// The sum of weight * Huber's loss of the residuals; of ln(residual + target) where
/// `of_logarithms`, whose target is 1.
[[nodiscard]] double grid_value(const GridColumns& columns,
                                const std::vector<double>& u,
                                const std::vector<double>& v,
                                const Eigen::Vector3d& terms,
                                double delta,
                                bool of_logarithms);

}  // namespace sizewise::fits

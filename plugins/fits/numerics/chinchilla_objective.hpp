#pragma once

#include <Eigen/Core>

#include "sizewise/fit.hpp"

#include "law_rows.hpp"
#include "newton.hpp"
#include "robust_loss.hpp"

namespace sizewise::fits {

/// A point of the law L = E + A/N^alpha + B/D^beta in the coordinates of LawRows: the
/// logarithms of E, of A/N^alpha and B/D^beta at the centre, and of the scaled exponents.
/// All real numbers are allowed, so no search meets a bound.
using LawPoint = Eigen::Matrix<double, 5, 1>;

/// What a residual is.
enum class ResidualKind {
  kLog,     ///< ln L_predicted - ln L
  kLinear,  ///< L_predicted - L
};

/// The sum over rows of weight * loss(residual), with its derivatives.
/// Source: Hoffmann et al. 2022 (arXiv 2203.15556), equation 3 (log residuals, Huber).
class ChinchillaObjective {
 public:
  /// `rows` must outlive the objective. `delta` is in the units of the residual.
  ChinchillaObjective(const LawRows& rows, ResidualKind kind, double delta);

  [[nodiscard]] const LawRows& rows() const { return *rows_; }
  [[nodiscard]] ResidualKind kind() const { return kind_; }
  [[nodiscard]] const RobustLoss& loss() const { return loss_; }
  /// The same rows and residual under another delta, already in the rows' scale.
  [[nodiscard]] ChinchillaObjective with_scaled_delta(double delta) const;

  /// The same residual and delta on other rows of the same centres and scales.
  [[nodiscard]] ChinchillaObjective on(const LawRows& rows) const;

  [[nodiscard]] double value(const LawPoint& point) const;
  [[nodiscard]] LocalModel<5> operator()(const LawPoint& point) const;

  /// value() in the units of the table: linear residuals were scaled with the loss.
  [[nodiscard]] double in_table_units(double value) const;

 private:
  const LawRows* rows_;
  ResidualKind kind_;
  RobustLoss loss_;
};

/// The law in the table's own units, and back.
[[nodiscard]] Law law_of_point(const LawPoint& point, const LawRows& rows);
[[nodiscard]] LawPoint point_of_law(const Law& law, const LawRows& rows);

}  // namespace sizewise::fits

#pragma once

#include <vector>

#include <Eigen/Core>

#include "sizewise/fit.hpp"

#include "held_values.hpp"
#include "law_rows.hpp"
#include "newton.hpp"
#include "robust_loss.hpp"

namespace sizewise::fits {

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
  ChinchillaObjective(const LawRows& rows,
                      ResidualKind kind,
                      double delta,
                      const HeldValues& held = {});

  [[nodiscard]] const LawRows& rows() const { return *rows_; }
  [[nodiscard]] ResidualKind kind() const { return kind_; }
  [[nodiscard]] const RobustLoss& loss() const { return loss_; }
  [[nodiscard]] const HeldValues& held() const { return held_; }
  /// The same rows and residual under another delta, already in the rows' scale.
  [[nodiscard]] ChinchillaObjective with_scaled_delta(double delta) const;

  /// The same residual and delta on other rows of the same centres and scales.
  [[nodiscard]] ChinchillaObjective on(const LawRows& rows) const;

  /// Values that are held replace the point's own.
  [[nodiscard]] double value(const LawPoint& point) const;
  [[nodiscard]] LocalModel<5> operator()(const LawPoint& point) const;

  /// The residuals at a point, row by row, in the rows' scale.
  [[nodiscard]] std::vector<double> residuals(const LawPoint& point) const;

  /// value() in the units of the table: linear residuals were scaled with the loss.
  [[nodiscard]] double in_table_units(double value) const;

 private:
  const LawRows* rows_;
  ResidualKind kind_;
  RobustLoss loss_;
  HeldValues held_;
};

/// The law in the table's own units, and back.
[[nodiscard]] Law law_of_point(const LawPoint& point, const LawRows& rows);
[[nodiscard]] LawPoint point_of_law(const Law& law, const LawRows& rows);

}  // namespace sizewise::fits

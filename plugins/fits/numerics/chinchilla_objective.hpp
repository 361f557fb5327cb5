#pragma once

#include <vector>

#include "sizewise/fit.hpp"

#include "held_values.hpp"
#include "law_columns.hpp"
#include "law_rows.hpp"
#include "robust_loss.hpp"
#include "robust_step.hpp"

namespace sizewise::fits {

/// The sum over rows of weight * loss(residual) of the law, as RobustMinimizer takes it.
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

  /// The same residual and rows under another delta, in the rows' scale.
  [[nodiscard]] ChinchillaObjective with_scaled_delta(double delta) const;
  /// The same residual and delta on other rows of the same axes.
  [[nodiscard]] ChinchillaObjective on(const LawRows& rows) const;

  /// The residuals at a point, row by row, in the rows' scale. Values that are held
  /// replace the point's own.
  [[nodiscard]] std::vector<double> residuals(const LawPoint& point) const;
  [[nodiscard]] double value(const LawPoint& point) const;
  /// value() in the units of the table: linear residuals were scaled with the loss.
  [[nodiscard]] double in_table_units(double value) const;

  [[nodiscard]] const std::vector<double>& weights() const { return rows_->weight; }
  [[nodiscard]] double delta() const { return loss_.delta(); }
  /// The same in the units of the table.
  [[nodiscard]] double table_delta() const;
  /// Where a law's point may lie: terms of at least 0, exponents between a straight
  /// line's and that of a step at the smallest value.
  [[nodiscard]] Box<5> box() const;
  [[nodiscard]] LawPoint reach(const LawPoint& point) const;
  [[nodiscard]] LawPoint resolve(const LawPoint& point) const {
    return held_.resolve(point);
  }
  [[nodiscard]] bool is_linear(int coordinate) const { return coordinate < 3; }
  void linearize(const LawPoint& point,
                 const std::vector<double>* expected,
                 RobustColumns<5>& columns) const;

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

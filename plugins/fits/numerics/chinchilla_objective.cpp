#include "chinchilla_objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sizewise::fits {
namespace {

double scaled_delta(const LawRows& rows, ResidualKind kind, double delta) {
  return kind == ResidualKind::kLog ? delta : delta / std::exp(rows.loss.origin);
}

}  // namespace

ChinchillaObjective::ChinchillaObjective(const LawRows& rows,
                                         ResidualKind kind,
                                         double delta,
                                         const HeldValues& held)
    : rows_(&rows), kind_(kind), loss_(scaled_delta(rows, kind, delta)), held_(held) {}

ChinchillaObjective ChinchillaObjective::with_scaled_delta(double delta) const {
  ChinchillaObjective other = *this;
  other.loss_ = RobustLoss(delta);
  return other;
}

ChinchillaObjective ChinchillaObjective::on(const LawRows& rows) const {
  ChinchillaObjective other = *this;
  other.rows_ = &rows;
  return other;
}

std::vector<double> ChinchillaObjective::residuals(const LawPoint& point) const {
  RobustColumns<5> columns(rows_->weight);
  linearize(point, nullptr, columns);
  columns.residual.resize(rows_->size());
  return columns.residual;
}

double ChinchillaObjective::value(const LawPoint& point) const {
  RobustColumns<5> columns(rows_->weight);
  linearize(point, nullptr, columns);
  return robust_value(columns.weight, columns.residual, loss_.delta());
}

double ChinchillaObjective::in_table_units(double value) const {
  const double scale = std::exp(rows_->loss.origin);
  return kind_ == ResidualKind::kLog ? value : value * scale * scale;
}

double ChinchillaObjective::table_delta() const {
  return kind_ == ResidualKind::kLog ? delta() : delta() * std::exp(rows_->loss.origin);
}

Box<5> ChinchillaObjective::box() const {
  constexpr double kLeast = 2e-6;
  constexpr double kMost = 200.0;
  constexpr double kMostExponent = 15.0;  // a double holds N^alpha up to N = 1e20
  const auto most = [=](const Axis& axis) {
    return std::log(std::min(kMost, kMostExponent * axis.scale));
  };
  Box<5> box;
  box.lower << 0.0, 0.0, 0.0, std::log(kLeast), std::log(kLeast);
  box.upper[3] = most(rows_->params);
  box.upper[4] = most(rows_->tokens);
  if (held_.any()) {
    // What is held may lie outside of what is searched.
    const LawPoint held = held_.resolve(box.clip(LawPoint::Ones()));
    for (int i : {3, 4}) {
      if (held_.holds(i)) {
        box.lower[i] = box.upper[i] = held[i];
      }
    }
  }
  return box;
}

LawPoint ChinchillaObjective::reach(const LawPoint& point) const {
  LawPoint reach = LawPoint::Ones();
  reach.head<3>() = point.head<3>().cwiseMax(1.0);
  return reach;
}

void ChinchillaObjective::linearize(const LawPoint& point,
                                    const std::vector<double>* expected,
                                    RobustColumns<5>& columns) const {
  const LawPoint there = held_.resolve(point);
  law_columns(*rows_, kind_, loss_.delta(), there, expected, columns);
  if (held_.any()) {
    held_.restrict_columns(columns,
                           there,
                           expected != nullptr ? *expected : columns.residual,
                           loss_.delta());
  }
}

Law law_of_point(const LawPoint& point, const LawRows& rows) {
  const double unit = std::exp(rows.loss.origin);
  const double alpha = std::exp(point[3]) / rows.params.scale;
  const double beta = std::exp(point[4]) / rows.tokens.scale;
  Law law;
  law.form = "chinchilla";
  law.values["E"] = unit * point[0];
  law.values["A"] = unit * point[1] * std::exp(alpha * rows.params.origin);
  law.values["B"] = unit * point[2] * std::exp(beta * rows.tokens.origin);
  law.values["alpha"] = alpha;
  law.values["beta"] = beta;
  return law;
}

LawPoint point_of_law(const Law& law, const LawRows& rows) {
  const double unit = std::exp(-rows.loss.origin);
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  LawPoint point;
  point << unit * law.value("E"),
      unit * law.value("A") * std::exp(-alpha * rows.params.origin),
      unit * law.value("B") * std::exp(-beta * rows.tokens.origin),
      std::log(alpha * rows.params.scale), std::log(beta * rows.tokens.scale);
  return point;
}

}  // namespace sizewise::fits

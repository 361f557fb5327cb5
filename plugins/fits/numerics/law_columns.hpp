#pragma once

#include "held_values.hpp"
#include "law_rows.hpp"
#include "robust_columns.hpp"

namespace sizewise::fits {

/// What a residual is.
enum class ResidualKind {
  kLog,     ///< ln L_predicted - ln L
  kLinear,  ///< L_predicted - L
};

/// Writes the residuals of L = E + A/N^alpha + B/D^beta at a point and their derivatives.
/// @param expected residuals (padded) whose slopes count in the curvature; null: those
/// written
void law_columns(const LawRows& rows,
                 ResidualKind kind,
                 double delta,
                 const LawPoint& point,
                 const std::vector<double>* expected,
                 RobustColumns<5>& columns);

}  // namespace sizewise::fits

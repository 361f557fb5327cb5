#pragma once

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"

namespace sizewise::fits {

/// Condition number of the law's Jacobian at a point: columns by ln E, ln A, ln B, ln
/// alpha and ln beta, each scaled to length 1, rows by the root of their weight. Infinite
/// where singular. Source: Belsley, Kuh and Welsch 1980, Regression Diagnostics,
/// section 3.2.
[[nodiscard]] double jacobian_condition(const ChinchillaObjective& objective,
                                        const LawPoint& point);

/// The largest condition number that still counts as identified.
inline constexpr double kMostCondition = 1e4;

/// Marks a result as identified or not by its exponents and its Jacobian, with reasons,
/// and warns where a term sits at the edge of what the law allows.
void judge_parametric_law(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          FitResult& result);

/// Whether a term, by its logarithm, makes up less than a millionth of the loss at the
/// rows' centre.
[[nodiscard]] bool is_negligible_term(double log_term);

/// Adds a reason and marks the result as not identified.
void refuse_identification(FitResult& result, std::string code, std::string message);

}  // namespace sizewise::fits

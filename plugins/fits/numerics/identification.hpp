#pragma once

#include <vector>

#include <Eigen/Core>

#include "sizewise/fit.hpp"

#include "chinchilla_objective.hpp"
#include "normal_matrix.hpp"

namespace sizewise::fits {

/// The coordinates that the rows determine: not held, and of no term that is absent.
[[nodiscard]] std::vector<int> free_coordinates(const ChinchillaObjective& objective,
                                                const LawPoint& point);

/// Whether a term makes up less than a millionth of the loss wherever the rows are.
[[nodiscard]] bool is_negligible_term(const LawPoint& point, int term);

/// J' W J of the residuals at a point, by its coordinates.
[[nodiscard]] Eigen::Matrix<double, 5, 5> jacobian_products(
    const ChinchillaObjective& objective, const LawPoint& point);

/// Condition number of the law's Jacobian at a point over its free coordinates: columns
/// by the terms' sizes in the middle of the rows and by the exponents, each scaled to
/// length 1, rows by the root of their weight. Infinite where singular.
[[nodiscard]] double jacobian_condition(const ChinchillaObjective& objective,
                                        const LawPoint& point);

/// Refuses a law of so many parameters where the rows hold no more different pairs of N
/// and D than that; says whether it did.
bool judge_row_count(const LawRows& rows, std::size_t parameters, FitResult& result);

/// Refuses a law whose falling terms are absent, or their exponents outside (0, 1).
void judge_terms(const LawPoint& point, FitResult& result);

/// Marks a result as identified or not by its terms, exponents and Jacobian, with reasons
/// that say what to do next.
void judge_parametric_law(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          FitResult& result);

}  // namespace sizewise::fits

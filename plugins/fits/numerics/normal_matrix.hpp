#pragma once

#include <vector>

#include <Eigen/Core>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// Condition number of a Jacobian J from J'J: columns scaled to length 1. Infinite where
/// singular, 1 where empty. Source: Belsley, Kuh and Welsch 1980, Regression Diagnostics,
/// section 3.2.
[[nodiscard]] double condition_number(const Eigen::MatrixXd& products);

/// The inverse of J'J; empty (0 by 0) where it does not exist.
[[nodiscard]] Eigen::MatrixXd inverse_products(const Eigen::MatrixXd& products);

/// The largest condition number that still counts as identified.
inline constexpr double kMostCondition = 1e4;

/// Refuses a law whose Jacobian is singular or nearly.
void judge_condition(double condition, FitResult& result);

/// Writes names and covariance into a result, where the covariance is finite.
void set_covariance(const std::vector<std::string>& names,
                    const Eigen::MatrixXd& covariance,
                    FitResult& result);

/// Adds a reason and marks the result as not identified.
void refuse_identification(FitResult& result, std::string code, std::string message);

}  // namespace sizewise::fits

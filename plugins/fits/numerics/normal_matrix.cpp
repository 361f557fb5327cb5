#include "normal_matrix.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Eigenvalues>

#include "number_text.hpp"

namespace sizewise::fits {
namespace {

using Solver = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;

/// 1 / column length; not finite where a column is 0.
Eigen::VectorXd column_scales(const Eigen::MatrixXd& products) {
  return products.diagonal().cwiseSqrt().cwiseInverse();
}

}  // namespace

double condition_number(const Eigen::MatrixXd& products) {
  if (products.size() == 0) {
    return 1.0;
  }
  const Eigen::VectorXd scale = column_scales(products);
  if (!scale.allFinite()) {
    return std::numeric_limits<double>::infinity();
  }
  const Solver solver(scale.asDiagonal() * products * scale.asDiagonal(),
                      Eigen::EigenvaluesOnly);
  const double least = solver.eigenvalues().minCoeff();
  return least > 0.0 ? std::sqrt(solver.eigenvalues().maxCoeff() / least)
                     : std::numeric_limits<double>::infinity();
}

Eigen::MatrixXd inverse_products(const Eigen::MatrixXd& products) {
  constexpr double kSingular = 1e-14;
  const Eigen::VectorXd scale = column_scales(products);
  if (products.size() == 0 || !scale.allFinite()) {
    return {};
  }
  const Solver solver(scale.asDiagonal() * products * scale.asDiagonal());
  if (!(solver.eigenvalues().minCoeff() > kSingular)) {
    return {};
  }
  return scale.asDiagonal() * solver.eigenvectors() *
         solver.eigenvalues().cwiseInverse().asDiagonal() *
         solver.eigenvectors().transpose() * scale.asDiagonal();
}

void judge_condition(double condition, FitResult& result) {
  if (!(condition <= kMostCondition)) {
    refuse_identification(
        result,
        "ill_conditioned",
        "the condition number of the Jacobian is " + number_text(condition) + ", above " +
            number_text(kMostCondition) +
            ": other parameters fit the rows as well; add rows over a wider range, whose "
            "columns do not change together");
  }
}

void set_covariance(const std::vector<std::string>& names,
                    const Eigen::MatrixXd& covariance,
                    FitResult& result) {
  if (covariance.size() == 0 || !covariance.allFinite()) {
    return;
  }
  result.parameters = names;
  for (Eigen::Index row = 0; row < covariance.rows(); ++row) {
    for (Eigen::Index column = 0; column < covariance.cols(); ++column) {
      result.covariance.push_back(covariance(row, column));
    }
  }
}

void refuse_identification(FitResult& result, std::string code, std::string message) {
  result.status = FitStatus::kNotIdentified;
  result.reasons.push_back({std::move(code), std::move(message)});
}

}  // namespace sizewise::fits

#include "identification.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <Eigen/Eigenvalues>

namespace sizewise::fits {
namespace {

std::string text_of(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", number);
  return buffer;
}

void judge_exponent(FitResult& result,
                    const char* name,
                    double exponent,
                    const char* of) {
  if (exponent > 0.0 && exponent < 1.0) {
    return;
  }
  refuse_identification(result,
                        "exponent_out_of_range",
                        std::string(name) + " is " + text_of(exponent) +
                            "; a law's lies between 0 and 1: the rows do not show how "
                            "the loss falls with " +
                            of);
}

}  // namespace

bool is_negligible_term(double log_term) {
  constexpr double kLeastShare = 1e-6;
  return !(std::exp(log_term) > kLeastShare);
}

void refuse_identification(FitResult& result, std::string code, std::string message) {
  result.status = FitStatus::kNotIdentified;
  result.reasons.push_back({std::move(code), std::move(message)});
}

double jacobian_condition(const ChinchillaObjective& objective, const LawPoint& point) {
  using Matrix = Eigen::Matrix<double, 5, 5>;
  // The majorizer under squared error is J' W J.
  const Matrix matrix =
      objective.with_scaled_delta(std::numeric_limits<double>::infinity())(point)
          .majorizer;
  const LawPoint lengths = matrix.diagonal().cwiseSqrt();
  if (!(lengths.minCoeff() > 0.0) || !lengths.allFinite()) {
    return std::numeric_limits<double>::infinity();
  }
  const LawPoint scale = lengths.cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(
      scale.asDiagonal() * matrix * scale.asDiagonal(), Eigen::EigenvaluesOnly);
  const double least = solver.eigenvalues()[0];
  return least > 0.0 ? std::sqrt(solver.eigenvalues()[4] / least)
                     : std::numeric_limits<double>::infinity();
}

void judge_parametric_law(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          FitResult& result) {
  result.status = FitStatus::kIdentified;
  if (!point.allFinite()) {
    refuse_identification(
        result, "no_minimum", "the search found no minimum of finite value");
    return;
  }
  judge_exponent(result, "alpha", result.law.value("alpha"), "the size (params)");
  judge_exponent(result, "beta", result.law.value("beta"), "the data (tokens)");
  const double condition = jacobian_condition(objective, point);
  if (!(condition <= kMostCondition)) {
    refuse_identification(result,
                          "ill_conditioned",
                          "the condition number of the Jacobian is " +
                              text_of(condition) + ", above " + text_of(kMostCondition) +
                              ": other parameters fit the rows as well");
  }
  if (is_negligible_term(point[0])) {
    result.warnings.push_back(
        "E is at its lower end, 0: the rows show no irreducible loss");
  }
}

}  // namespace sizewise::fits

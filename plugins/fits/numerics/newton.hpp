#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace sizewise::fits {

/// A function's value and derivatives at one point.
template <int Size>
struct LocalModel {
  double value = std::numeric_limits<double>::quiet_NaN();
  Eigen::Matrix<double, Size, 1> gradient;
  Eigen::Matrix<double, Size, Size> hessian;
  /// Positive definite or nearly: what damps a step where the Hessian is not.
  Eigen::Matrix<double, Size, Size> majorizer;
};

struct NewtonOptions {
  int most_evaluations = 200;
  double largest_step = 2.0;  ///< in the largest coordinate
  /// Ends where the model promises less than this share of the value.
  double value_tolerance = 1e-15;
  double step_tolerance = 1e-14;
};

template <int Size>
struct NewtonResult {
  Eigen::Matrix<double, Size, 1> point;
  LocalModel<Size> model;
  int evaluations = 0;
  bool converged = false;
};

namespace detail {

/// The step that minimises gradient . p + p' (hessian + damping * majorizer) p / 2;
/// raises `damping` until that matrix is positive definite. False where none is.
template <int Size>
bool damped_step(const LocalModel<Size>& model,
                 double& damping,
                 Eigen::Matrix<double, Size, 1>& step) {
  constexpr double kMostDamping = 1e12;
  while (damping <= kMostDamping) {
    Eigen::Matrix<double, Size, Size> matrix = model.hessian + damping * model.majorizer;
    // A little of the identity: directions that no row sees must not end the search.
    matrix.diagonal().array() += 1e-14 * model.majorizer.trace();
    const Eigen::LLT<Eigen::Matrix<double, Size, Size>> factor(matrix);
    if (factor.info() == Eigen::Success) {
      step = factor.solve(-model.gradient);
      if (step.allFinite()) {
        return true;
      }
    }
    damping = std::max(4.0 * damping, 1e-6);
  }
  return false;
}

}  // namespace detail

/// Minimises a smooth function by Newton's method, damped towards its majorizer as
/// Levenberg and Marquardt do. `evaluate(point)` returns a LocalModel.
/// Source: Nocedal and Wright 2006, Numerical Optimization, sections 3.4 and 4.1; damping
/// as in Nielsen 1999, IMM-REP-1999-05.
template <int Size, class Evaluate>
NewtonResult<Size> minimize_newton(const Evaluate& evaluate,
                                   const Eigen::Matrix<double, Size, 1>& start,
                                   const NewtonOptions& options = {}) {
  NewtonResult<Size> result;
  result.point = start;
  result.model = evaluate(start);
  result.evaluations = 1;
  double damping = 1e-3;
  double growth = 2.0;
  while (result.evaluations < options.most_evaluations) {
    Eigen::Matrix<double, Size, 1> step;
    if (!std::isfinite(result.model.value) ||
        !detail::damped_step(result.model, damping, step)) {
      return result;
    }
    const double longest = step.template lpNorm<Eigen::Infinity>();
    if (longest > options.largest_step) {
      step *= options.largest_step / longest;
    }
    const double promised =
        -(result.model.gradient.dot(step) + 0.5 * step.dot(result.model.hessian * step));
    const Eigen::Matrix<double, Size, 1> trial = result.point + step;
    LocalModel<Size> there = evaluate(trial);
    ++result.evaluations;
    const double gained = result.model.value - there.value;
    if (gained >= 0.0 && gained >= 1e-4 * promised) {
      const double ratio = promised > 0.0 ? gained / promised : 1.0;
      damping *= std::max(0.05, 1.0 - std::pow(2.0 * std::min(ratio, 1.0) - 1.0, 3));
      damping = std::max(damping, 1e-15);
      growth = 2.0;
      result.point = trial;
      result.model = there;
    } else {
      damping *= growth;
      growth *= 2.0;
    }
    const bool is_flat =
        std::fabs(promised) <= options.value_tolerance * result.model.value;
    if (is_flat || longest <= options.step_tolerance) {
      result.converged = true;
      return result;
    }
  }
  return result;
}

}  // namespace sizewise::fits

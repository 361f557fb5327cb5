#pragma once

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "robust_step.hpp"

namespace sizewise::fits {

template <int Size>
struct RobustMinimum {
  using Point = Eigen::Matrix<double, Size, 1>;
  Point point = Point::Constant(std::numeric_limits<double>::quiet_NaN());
  double value = std::numeric_limits<double>::quiet_NaN();
  int evaluations = 0;
  bool converged = false;
};

/// Descends to a minimum of a sum of weight * Huber(residual(point)) in a box, by steps
/// that minimise that sum for the residuals' first-order model plus the curvature that
/// their second derivatives add, within a trust region. Of the residuals' slopes in that
/// curvature those count which the step before expected: near a minimum where residuals
/// are drawn to 0 they tend to the right ones, as Lagrange multipliers do. A step that
/// disappoints is mended by a second one over the coordinates that are nearly linear.
/// Source: Fletcher 1987, Practical Methods of Optimization, sections 14.4 and 14.5.
///
/// Problem: weights(), delta(), box(); reach(point), how far a first step may go;
/// resolve(point), the point with values that depend on others in place; is_linear(i);
/// linearize(point, expected residuals or null, columns).
template <int Size, class Problem>
class RobustMinimizer {
 public:
  using Point = Eigen::Matrix<double, Size, 1>;

  explicit RobustMinimizer(const Problem& problem)
      : problem_(&problem),
        bounds_(problem.box()),
        here_(problem.weights()),
        there_(here_),
        mended_(here_),
        rounding_(kRounding *
                  std::accumulate(here_.weight.begin(), here_.weight.end(), 0.0)) {}

  RobustMinimum<Size> descend(const Point& start) {
    found_ = {};
    found_.point = problem_->resolve(bounds_.clip(start));
    found_.value = evaluate(found_.point, nullptr, here_);
    radius_ = 1.0;
    looked_again_ = false;
    while (found_.evaluations < kMostEvaluations && std::isfinite(found_.value) &&
           !found_.converged && radius_ > kLeastRadius) {
      go_on();
    }
    return found_;
  }

 private:
  static constexpr int kMostEvaluations = 200;
  static constexpr double kLeastRadius = 1e-15;
  static constexpr double kTolerance = 1e-14;  // of the value
  static constexpr double kRounding = 1e-30;   // a weight's squared rounding error
  static constexpr double kLookAgain = 1e-2;   // radius

  double evaluate(const Point& point,
                  const std::vector<double>* expected,
                  RobustColumns<Size>& columns) {
    problem_->linearize(point, expected, columns);
    ++found_.evaluations;
    return robust_value(columns.weight, columns.residual, problem_->delta());
  }

  /// The part of the bounds within a distance of a point, as seen from there.
  [[nodiscard]] Box<Size> region(const Point& point, const Point& reach) const {
    Box<Size> box;
    box.lower = (bounds_.lower - point).cwiseMax(-reach);
    box.upper = (bounds_.upper - point).cwiseMin(reach);
    return box;
  }

  void go_on() {
    const Point reach = radius_ * problem_->reach(found_.point);
    const Point step = step_.find(here_, problem_->delta(), region(found_.point, reach));
    const double promised = step_.promised();
    Point trial = problem_->resolve(bounds_.clip(found_.point + step));
    double value = evaluate(trial, &step_.expected(), there_);
    const double length = step.cwiseAbs().cwiseQuotient(reach).maxCoeff();
    const double negligible = kTolerance * found_.value + rounding_;
    if (promised <= negligible) {
      // The values differ by their rounding, the points by more: the last step counts.
      if (value <= found_.value + negligible) {
        accept(trial, value);
      }
      // A region that grew small promises little anywhere: only a step that it does not
      // hold back says that there is nothing to gain.
      found_.converged = length < 0.9 || radius_ >= kLookAgain;
      radius_ = found_.converged || looked_again_ ? 0.0 : kLookAgain;
      looked_again_ = true;
      return;
    }
    if (!(found_.value - value >= kPoor * promised)) {
      mend(trial, value);
    }
    const double gained = found_.value - value;
    if (gained > 1e-4 * promised) {
      accept(trial, value);
      if (gained > kGood * promised && length > 0.9) {
        radius_ = std::min(3.0 * radius_, 1e3);
      } else if (gained < kPoor * promised) {
        radius_ *= 0.4 * std::max(length, 0.1);
      }
    } else {
      radius_ *= 0.3 * std::max(length, 0.01);
    }
  }

  void accept(const Point& point, double value) {
    std::swap(here_, there_);
    found_.point = point;
    found_.value = value;
  }

  /// Moves a trial along the linear coordinates to where the value is least.
  void mend(Point& trial, double& value) {
    Point reach = radius_ * problem_->reach(trial);
    for (int i = 0; i < Size; ++i) {
      reach[i] = problem_->is_linear(i) ? reach[i] : 0.0;
    }
    const Point step = step_.find(there_, problem_->delta(), region(trial, reach));
    const Point mended = problem_->resolve(bounds_.clip(trial + step));
    const double mended_value = evaluate(mended, &step_.expected(), mended_);
    if (mended_value < value || std::isnan(value)) {
      trial = mended;
      value = mended_value;
      std::swap(there_, mended_);
    }
  }

  static constexpr double kPoor = 0.25;
  static constexpr double kGood = 0.7;

  const Problem* problem_;
  Box<Size> bounds_;
  RobustColumns<Size> here_;
  RobustColumns<Size> there_;
  RobustColumns<Size> mended_;
  RobustStep<Size> step_;
  RobustMinimum<Size> found_;
  double radius_ = 1.0;
  bool looked_again_ = false;
  double rounding_;
};

}  // namespace sizewise::fits

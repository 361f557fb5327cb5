#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "robust_columns.hpp"

namespace sizewise::fits {

/// Bounds of each coordinate; by default none.
template <int Size>
struct Box {
  using Point = Eigen::Matrix<double, Size, 1>;
  Point lower = Point::Constant(-std::numeric_limits<double>::infinity());
  Point upper = Point::Constant(std::numeric_limits<double>::infinity());

  [[nodiscard]] Point clip(const Point& point) const {
    return point.cwiseMax(lower).cwiseMin(upper);
  }
};

/// Where a function falls to along a line: its slope at 0 is below 0, and rises.
/// `slope_at(t)` is the slope at t; `farthest` is where the line ends. The result's slope
/// is a small share of the first, or it is `farthest`.
template <class Slope>
double least_along(const Slope& slope_at, double slope, double farthest) {
  constexpr double kFlat = 0.02;
  constexpr double kStride = 8.0;
  constexpr int kMostHalvings = 40;
  const double flat = -kFlat * slope;
  double low = 0.0;
  double slope_low = slope;
  double high = std::min(1.0, farthest);
  double slope_high = slope_at(high);
  while (slope_high < -flat && high < farthest) {
    low = high;
    slope_low = slope_high;
    high = std::min(kStride * high, farthest);
    slope_high = slope_at(high);
  }
  if (slope_high <= flat) {
    return high;
  }
  // False position, with the slope at an end that stays halved (the Illinois method).
  double t = low;
  int side = 0;
  for (int halving = 0; halving < kMostHalvings; ++halving) {
    t = (low * slope_high - high * slope_low) / (slope_high - slope_low);
    t = t > low && t < high ? t : 0.5 * (low + high);
    const double slope_there = slope_at(t);
    if (std::fabs(slope_there) <= flat) {
      break;
    }
    const int went = slope_there < 0.0 ? -1 : 1;
    (went < 0 ? low : high) = t;
    (went < 0 ? slope_low : slope_high) = slope_there;
    if (went == side) {
      (went < 0 ? slope_high : slope_low) *= 0.5;
    }
    side = went;
  }
  return t;
}

/// Minimises sum weight * Huber(residual + jacobian . step) + step' curvature step / 2
/// over a box around 0. The function consists of quadratic pieces; each pass takes
/// Newton's direction of the piece at hand and searches along it exactly. Source: Madsen
/// and Nielsen 1990, "Finite algorithms for robust linear regression", BIT 30.
template <int Size>
class RobustStep {
 public:
  using Point = Eigen::Matrix<double, Size, 1>;
  using Matrix = Eigen::Matrix<double, Size, Size>;

  Point find(const RobustColumns<Size>& columns, double delta, const Box<Size>& box) {
    columns_ = &columns;
    delta_ = delta;
    box_ = box;
    moved_ = columns.residual;
    lengths_ = robust_sums(columns, moved_, std::numeric_limits<double>::infinity())
                   .hessian.diagonal();
    lengths_ = lengths_.cwiseMax(1e-14 * lengths_.sum());
    step_.setZero();
    double first = 0.0;
    double last = 0.0;
    for (int pass = 0; pass < kMostPasses; ++pass) {
      RobustSums<Size> sums = robust_sums(columns, moved_, delta);
      const Point bent = columns.curvature * step_;
      const double value = sums.value + 0.5 * step_.dot(bent);
      const bool is_enough = pass > 0 && last - value <= kEnough * (first - value);
      first = pass == 0 ? value : first;
      last = pass == 0 ? value : std::min(last, value);
      sums.gradient += bent;
      if (is_enough || !move_along(direction(sums), sums.gradient)) {
        break;
      }
    }
    promised_ = first - last;
    return step_;
  }

  /// By how much the function fell.
  [[nodiscard]] double promised() const { return promised_; }
  /// The residuals that the step should lead to.
  [[nodiscard]] const std::vector<double>& expected() const { return moved_; }

 private:
  static constexpr int kMostPasses = 60;
  static constexpr double kEnough = 1e-3;  // a pass's share of the fall so far

  [[nodiscard]] bool leaves(int i, double way) const {
    return (step_[i] <= box_.lower[i] && way < 0.0) ||
           (step_[i] >= box_.upper[i] && way > 0.0);
  }

  /// Newton's direction over the coordinates that would not leave the box at once.
  [[nodiscard]] Point direction(const RobustSums<Size>& sums) const {
    Matrix matrix = sums.hessian + columns_->curvature;
    Point right = -sums.gradient;
    Point found = right;
    for (int pass = 0; pass <= Size; ++pass) {
      bool has_left = false;
      for (int i = 0; i < Size; ++i) {
        if (leaves(i, found[i])) {
          has_left = true;
          right[i] = 0.0;
          matrix.row(i).setZero();
          matrix.col(i).setZero();
          matrix(i, i) = lengths_[i];
        }
      }
      if (pass > 0 && !has_left) {
        break;
      }
      found = damped_solution(matrix, right);
    }
    return found;
  }

  /// Solves with the least damping, in units of the columns' lengths, that makes the
  /// matrix positive definite.
  [[nodiscard]] Point damped_solution(const Matrix& matrix, const Point& right) const {
    double damping = 1e-10;
    for (int attempt = 0; attempt < 11; ++attempt, damping *= 30.0) {
      Matrix damped = matrix;
      damped.diagonal() += damping * lengths_;
      const Eigen::LLT<Matrix> factor(damped);
      if (factor.info() == Eigen::Success) {
        return factor.solve(right);
      }
    }
    return Point::Zero();
  }

  /// How far a direction goes before it meets a bound, and which.
  [[nodiscard]] std::pair<double, int> room(const Point& way) const {
    std::pair<double, int> nearest{std::numeric_limits<double>::infinity(), -1};
    for (int i = 0; i < Size; ++i) {
      if (way[i] != 0.0) {
        const double bound = way[i] > 0.0 ? box_.upper[i] : box_.lower[i];
        nearest = std::min(nearest, std::pair((bound - step_[i]) / way[i], i));
      }
    }
    return nearest;
  }

  /// Goes to the least value along a direction; false where the function does not fall.
  bool move_along(const Point& way, const Point& gradient) {
    const double slope = gradient.dot(way);
    if (!way.allFinite() || !(slope < 0.0)) {
      return false;
    }
    const auto [farthest, blocking] = room(way);
    residual_change(*columns_, way, change_);
    const Point bent = columns_->curvature * way;
    const double lean = bent.dot(step_);
    // Where the curvature is negative the function falls faster than this says.
    const double bend = std::max(bent.dot(way), 0.0);
    const auto slope_at = [&](double t) {
      return robust_slope(columns_->weight, moved_, change_, delta_, t) + lean + t * bend;
    };
    const double t = least_along(slope_at, slope, farthest);
    step_ += t * way;
    if (t == farthest && blocking >= 0) {
      step_[blocking] = way[blocking] > 0.0 ? box_.upper[blocking] : box_.lower[blocking];
    }
    for (std::size_t row = 0; row < moved_.size(); ++row) {
      moved_[row] += t * change_[row];
    }
    return t > 0.0;
  }

  const RobustColumns<Size>* columns_ = nullptr;
  double delta_ = 0.0;
  Box<Size> box_;
  Point lengths_;
  Point step_;
  double promised_ = 0.0;
  std::vector<double> moved_;
  std::vector<double> change_;
};

}  // namespace sizewise::fits

#pragma once

#include <cmath>

namespace sizewise::fits {

/// What a residual r costs. Huber: r^2/2 where |r| <= delta, else delta (|r| - delta/2).
/// Source: Huber 1964, "Robust Estimation of a Location Parameter", equation 2.3.
/// Squared error is Huber's limit of a large delta: r^2/2 for every r.
class RobustLoss {
 public:
  /// @param delta above 0; infinite for squared error
  explicit constexpr RobustLoss(double delta) : delta_(delta) {}

  [[nodiscard]] constexpr double delta() const { return delta_; }
  [[nodiscard]] double value(double r) const {
    const double size = std::fabs(r);
    return size <= delta_ ? 0.5 * r * r : delta_ * (size - 0.5 * delta_);
  }
  /// d value / dr.
  [[nodiscard]] double slope(double r) const {
    return std::fabs(r) <= delta_ ? r : std::copysign(delta_, r);
  }
  /// d^2 value / dr^2.
  [[nodiscard]] double curvature(double r) const {
    return std::fabs(r) <= delta_ ? 1.0 : 0.0;
  }

 private:
  double delta_;
};

}  // namespace sizewise::fits

#pragma once

#include <limits>

namespace sizewise::fitting {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// The ends of an interval; NaN: not computed, infinite: unbounded on that side.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();

  [[nodiscard]] bool contains(double value) const {
    return low <= value && value <= high;
  }
  /// Whether they have a number in common.
  [[nodiscard]] bool overlaps(const Interval& other) const {
    return low <= other.high && other.low <= high;
  }
};

}  // namespace sizewise::fitting

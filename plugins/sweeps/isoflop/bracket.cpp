#include "bracket.hpp"

#include <algorithm>
#include <cmath>

namespace isoflop {
namespace {

std::size_t best_of(std::span<const Point> points) {
  const auto best = std::min_element(
      points.begin(), points.end(), [](const Point& left, const Point& right) {
        return left.loss < right.loss;
      });
  return static_cast<std::size_t>(best - points.begin());
}

}  // namespace

Minimum locate(std::span<const Point> points) {
  const std::size_t best = best_of(points);
  Minimum minimum{points[best].log_params, best == 0, best + 1 == points.size()};
  if (minimum.below || minimum.above) {
    return minimum;
  }
  const Point& left = points[best - 1];
  const Point& middle = points[best];
  const Point& right = points[best + 1];
  // Newton's form of the parabola through the three points.
  const double first = (middle.loss - left.loss) / (middle.log_params - left.log_params);
  const double second =
      (right.loss - middle.loss) / (right.log_params - middle.log_params);
  const double curvature = (second - first) / (right.log_params - left.log_params);
  if (curvature > 0) {
    const double vertex =
        (left.log_params + middle.log_params) / 2 - first / (2 * curvature);
    minimum.log_params = std::clamp(vertex, left.log_params, right.log_params);
  }
  return minimum;
}

std::vector<double> places_to_add(std::span<const Point> points,
                                  double step,
                                  int extensions) {
  constexpr double kWideGap = 2.6;  // in steps; two are what rounding to sizes can make
  const std::size_t best = best_of(points);
  const double stride = step * std::exp2(extensions);
  std::vector<double> places;
  if (best == 0) {
    const double edge = points.front().log_params;
    places.insert(places.end(), {edge - stride, edge - 2 * stride});
  }
  if (best + 1 == points.size()) {
    const double edge = points.back().log_params;
    places.insert(places.end(), {edge + stride, edge + 2 * stride});
  }
  if (!places.empty()) {
    return places;
  }
  const double here = points[best].log_params;
  for (const double neighbour :
       {points[best - 1].log_params, points[best + 1].log_params}) {
    if (std::abs(neighbour - here) > kWideGap * step) {
      places.push_back((neighbour + here) / 2);
    }
  }
  return places;
}

}  // namespace isoflop

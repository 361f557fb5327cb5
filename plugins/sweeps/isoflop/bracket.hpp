#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

// Where the minimum of loss over ln N lies, given some points of one budget. Pure
// arithmetic: no host, no sizes.

namespace isoflop {

/// One finished trial of a budget.
struct Point {
  double log_params = 0;
  double loss = 0;
};

/// What is known about a budget's minimum.
struct Minimum {
  double log_params = 0;  ///< best estimate
  bool below = false;     ///< it may lie below everything sampled
  bool above = false;     ///< it may lie above everything sampled
};

/// The vertex of the parabola through the best point and its neighbours; the best point
/// itself where it is at an edge (or the three are not convex).
/// @param points ascending in log_params, at least one
[[nodiscard]] Minimum locate(std::span<const Point> points);

/// Places to sample next so that the minimum lies between samples: two beyond the edge at
/// which the best point is, in steps that double with every round that stayed at an edge;
/// or the middle of a gap beside the best point that is far wider than `step`.
/// @param points ascending in log_params, at least one
/// @param step ln of the ratio of neighbouring sizes of the first round
/// @param extensions how many rounds went beyond an edge before
[[nodiscard]] std::vector<double> places_to_add(std::span<const Point> points,
                                                double step,
                                                int extensions);

}  // namespace isoflop

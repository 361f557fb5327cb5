#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "robust_minimizer.hpp"

// Descents of one problem from many starts. A Problem is what RobustMinimizer takes, and
// has with_scaled_delta().

namespace sizewise::fits {

/// A minimum and how it was found.
template <int Size>
struct Search {
  RobustMinimum<Size> best;
  int starts = 0;
  int starts_within_tenth_percent = 0;
};

/// The minima that descents from some points reach, lowest first; those without a value
/// are left out.
template <int Size, class Problem>
std::vector<RobustMinimum<Size>> descend_all(
    const Problem& problem, const std::vector<Eigen::Matrix<double, Size, 1>>& starts) {
  RobustMinimizer<Size, Problem> minimizer(problem);
  std::vector<RobustMinimum<Size>> minima;
  for (const auto& start : starts) {
    const RobustMinimum<Size> minimum = minimizer.descend(start);
    if (std::isfinite(minimum.value)) {
      minima.push_back(minimum);
    }
  }
  std::sort(minima.begin(), minima.end(), [](const auto& a, const auto& b) {
    return a.value < b.value;
  });
  return minima;
}

inline constexpr double kSamePoint = 1e-4;  // in the largest coordinate

/// The points of the lowest minima that differ, at most so many.
template <int Size>
std::vector<Eigen::Matrix<double, Size, 1>> distinct_points(
    const std::vector<RobustMinimum<Size>>& minima, std::size_t most) {
  std::vector<Eigen::Matrix<double, Size, 1>> kept;
  for (const RobustMinimum<Size>& minimum : minima) {
    const bool is_new =
        std::all_of(kept.begin(), kept.end(), [&minimum](const auto& other) {
          return (other - minimum.point).template lpNorm<Eigen::Infinity>() > kSamePoint;
        });
    if (is_new && kept.size() < most) {
      kept.push_back(minimum.point);
    }
  }
  return kept;
}

/// The least delta at which the residuals near a value still leave several rows on the
/// loss's parabola: below it descents lose their way between corners.
template <class Problem>
double least_smooth_delta(const Problem& problem, double value) {
  constexpr double kShare = 0.01;  // of the mean residual
  const double delta = problem.delta();
  const double total =
      std::accumulate(problem.weights().begin(), problem.weights().end(), 0.0);
  return std::isfinite(delta) && std::isfinite(value)
             ? std::max(delta, kShare * value / (delta * total))
             : delta;
}

inline constexpr std::size_t kMostDistinct = 40;

/// How many of some minima (sorted) are as low as the lowest.
template <int Size>
int count_lowest(const std::vector<RobustMinimum<Size>>& minima, double total_weight) {
  constexpr double kSameValue = 1e-3;  // what counts as the same minimum, relative
  // A mean squared residual below this is rounding: all such minima are the same.
  constexpr double kRounding = 1e-24;
  if (minima.empty()) {
    return 0;
  }
  const double same =
      minima.front().value * (1.0 + kSameValue) + kRounding * total_weight;
  return static_cast<int>(
      std::count_if(minima.begin(), minima.end(), [same](const auto& minimum) {
        return minimum.value <= same;
      }));
}

/// Descends from some points at one delta, then from the minima that differ at smaller
/// and smaller ones to the problem's own. What `search` counts are the starts.
/// @param search its best is the lowest, unless there is none
template <int Size, class Problem>
std::vector<RobustMinimum<Size>> descend_in_steps(
    const Problem& problem,
    double first,
    const std::vector<Eigen::Matrix<double, Size, 1>>& starts,
    Search<Size>& search,
    std::size_t most = kMostDistinct) {
  constexpr double kFall = 0.03;
  const std::vector<double>& weights = problem.weights();
  auto minima = descend_all<Size>(problem.with_scaled_delta(first), starts);
  search.starts = static_cast<int>(starts.size());
  search.starts_within_tenth_percent =
      count_lowest<Size>(minima, std::accumulate(weights.begin(), weights.end(), 0.0));
  for (double delta = first; delta > problem.delta();) {
    delta = std::max(kFall * delta, problem.delta());
    minima = descend_all<Size>(problem.with_scaled_delta(delta),
                               distinct_points<Size>(minima, most));
  }
  if (!minima.empty()) {
    search.best = minima.front();
  }
  return minima;
}

/// Descends on all rows from the lowest minima of a sample (sorted) that differ; the
/// lowest becomes the search's best. The more rows, the fewer minima that differ, and the
/// more each of them costs.
/// @param most_work rows times minima, but three minima in any case
template <int Size, class Problem>
void polish_lowest(const Problem& problem,
                   const std::vector<RobustMinimum<Size>>& minima,
                   std::size_t most_work,
                   Search<Size>& search) {
  const std::size_t most =
      std::clamp<std::size_t>(most_work / problem.weights().size(), 3, kMostDistinct);
  const auto polished = descend_all<Size>(problem, distinct_points<Size>(minima, most));
  search.best = polished.empty() ? RobustMinimum<Size>() : polished.front();
}

}  // namespace sizewise::fits

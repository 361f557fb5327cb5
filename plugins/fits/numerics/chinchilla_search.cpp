#include "chinchilla_search.hpp"

#include <algorithm>
#include <cmath>

#include "exponent_grid.hpp"

namespace sizewise::fits {
namespace {

constexpr std::size_t kGridStarts = 16;
constexpr std::size_t kLowestStarts = 16;
constexpr double kSameValue = 1e-3;  // what counts as the same minimum, relative
// A mean squared residual below this is rounding: all such minima are the same.
constexpr double kRounding = 1e-24;

LawMinimum minimum_of(const NewtonResult<5>& result) {
  LawMinimum minimum;
  minimum.point = result.point;
  minimum.value = result.model.value;
  minimum.converged = result.converged;
  return minimum;
}

bool is_lower(const GridNode& a, const GridNode& b) {
  return a.value < b.value;
}

std::vector<GridNode> starts_of(const ExponentGrid& grid) {
  std::vector<GridNode> starts = grid.local_minima();
  starts.resize(std::min(starts.size(), kGridStarts));
  std::vector<GridNode> lowest(kLowestStarts);
  std::partial_sort_copy(
      grid.nodes().begin(), grid.nodes().end(), lowest.begin(), lowest.end(), is_lower);
  starts.insert(starts.end(), lowest.begin(), lowest.end());
  return starts;
}

/// The lowest of some minima, with the count of those as low.
LawMinimum lowest_of(const std::vector<LawMinimum>& minima, double total_weight) {
  LawMinimum best = *std::min_element(
      minima.begin(), minima.end(), [](const LawMinimum& a, const LawMinimum& b) {
        // A search that left the numbers must not hide the others.
        return std::isfinite(a.value) && !(a.value >= b.value);
      });
  const double same = best.value * (1.0 + kSameValue) + kRounding * total_weight;
  best.starts = static_cast<int>(minima.size());
  best.starts_within_tenth_percent = static_cast<int>(
      std::count_if(minima.begin(), minima.end(), [same](const LawMinimum& minimum) {
        return minimum.value <= same;
      }));
  return best;
}

/// The lowest minima that differ, for polishing on more rows.
std::vector<LawMinimum> distinct_minima(std::vector<LawMinimum> minima,
                                        std::size_t most) {
  std::sort(minima.begin(), minima.end(), [](const LawMinimum& a, const LawMinimum& b) {
    return a.value < b.value;
  });
  std::vector<LawMinimum> kept;
  for (const LawMinimum& minimum : minima) {
    const bool is_new =
        std::all_of(kept.begin(), kept.end(), [&minimum](const LawMinimum& other) {
          return (other.point - minimum.point).lpNorm<Eigen::Infinity>() > 1e-4;
        });
    if (is_new && kept.size() < most && std::isfinite(minimum.value)) {
      kept.push_back(minimum);
    }
  }
  return kept;
}

}  // namespace

LawMinimum polish(const ChinchillaObjective& objective, const LawPoint& start) {
  constexpr double kFall = 0.1;
  const double delta = objective.loss().delta();
  NewtonResult<5> result;
  result.point = start;
  if (std::isfinite(delta)) {
    // Where nearly every residual is far above delta the loss is all corners; a larger
    // delta first, a share of the mean residual, leads Newton's method to the right ones.
    double wider =
        kFall * objective.value(start) / (delta * objective.rows().total_weight);
    for (; wider > 10.0 * delta; wider *= kFall) {
      result = minimize_newton<5>(objective.with_scaled_delta(wider), result.point);
    }
  }
  LawMinimum minimum = minimum_of(minimize_newton<5>(objective, result.point));
  minimum.point = objective.held().resolve(minimum.point);
  return minimum;
}

LawMinimum find_minimum(const ChinchillaObjective& objective) {
  const LawRows few = sampled(objective.rows(), kSearchRows);
  const ChinchillaObjective search = objective.on(few);
  std::vector<LawMinimum> minima;
  for (const GridNode& start : starts_of(ExponentGrid(search))) {
    minima.push_back(polish(search, start.point));
  }
  LawMinimum best = lowest_of(minima, few.total_weight);
  if (few.size() < objective.rows().size()) {
    constexpr std::size_t kPolished = 3;
    std::vector<LawMinimum> polished;
    for (const LawMinimum& minimum : distinct_minima(minima, kPolished)) {
      polished.push_back(polish(objective, minimum.point));
    }
    const LawMinimum lowest = lowest_of(polished, objective.rows().total_weight);
    best.point = lowest.point;
    best.value = lowest.value;
    best.converged = lowest.converged;
  }
  return best;
}

}  // namespace sizewise::fits

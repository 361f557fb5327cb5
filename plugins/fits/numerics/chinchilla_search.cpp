#include "chinchilla_search.hpp"

#include "exponent_grid.hpp"

namespace sizewise::fits {

Search<5> polish(const ChinchillaObjective& objective, const LawPoint& start) {
  const double delta = least_smooth_delta(objective, objective.value(start));
  Search<5> found;
  descend_in_steps<5>(objective, delta, {start}, found, 1);
  return found;
}

Search<5> find_minimum(const ChinchillaObjective& objective,
                       std::vector<LawPoint> starts) {
  const LawRows few = sampled(objective.rows(), kSearchRows);
  const ChinchillaObjective search = objective.on(few);
  const std::vector<GridNode> nodes = ExponentGrid(search).starts();
  for (const GridNode& node : nodes) {
    starts.push_back(node.point);
  }
  const double delta = least_smooth_delta(search, nodes.front().value);
  Search<5> found;
  const auto minima = descend_in_steps<5>(search, delta, starts, found);
  if (few.size() < objective.rows().size()) {
    constexpr std::size_t kMostWork = 4'000'000;
    polish_lowest(objective, minima, kMostWork, found);
  }
  return found;
}

}  // namespace sizewise::fits

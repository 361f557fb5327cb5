#pragma once

#include <vector>

#include "chinchilla_objective.hpp"
#include "multi_start.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {

/// The least value over all of the law's points: descents from the starts of the
/// objective's ExponentGrid and from some more. Tables of more than `kSearchRows` rows
/// are searched on a sample, and the lowest minima that differ are polished on all rows.
[[nodiscard]] Search<5> find_minimum(const ChinchillaObjective& objective,
                                     std::vector<LawPoint> starts = {});

/// The minimum next to a point. What a bootstrap's refits use.
[[nodiscard]] Search<5> polish(const ChinchillaObjective& objective,
                               const LawPoint& start);

}  // namespace sizewise::fits

#pragma once

#include <cstddef>
#include <vector>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Refuses FLOPs that the rows to be fitted cannot have cost, since one wrong cell moves
/// the optimum of every budget: a number that is not finite and above 0, and FLOPs per
/// unit and parameter more than 10 times above, or below, those of the other rows of its
/// size or of the sizes next to it and their trend. An empty cell is none of these.
/// @param used places of the rows to be fitted, as sort_rows() gives them
/// @throws Error kInput with file, line and column
void check_flops(const RunTable& runs,
                 const std::vector<std::size_t>& used,
                 const FitRequest& request);

}  // namespace sizewise::fitting

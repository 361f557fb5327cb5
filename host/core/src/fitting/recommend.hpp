#pragma once

#include "sizewise/dataset_info.hpp"
#include "sizewise/host.hpp"
#include "sizewise/manifest.hpp"

#include "fitting/fit_report.hpp"
#include "planning/size_oracle.hpp"

namespace sizewise::fitting {

/// Turns an optimum of the law into a model that can be made: the allowed size nearest to
/// N* in log parameters, with D = C / c(size) counted on that size, in whole samples. A
/// size that this machine could not hold is not built; its parameters are N* and its cost
/// is the cost model's.
/// @param largest_params parameters of the largest model that may be built
/// @throws what the oracle throws
[[nodiscard]] Recommendation recommend(const FitReport& report,
                                       const Optimum& optimum,
                                       planning::SizeOracle& oracle,
                                       const SizeSpec& sizes,
                                       const DatasetInfo& data,
                                       double largest_params);

/// Parameters of the largest model that this machine can train a step of: 16 bytes each
/// (weight, gradient, two moments) in half of its memory.
[[nodiscard]] double largest_buildable_params();

}  // namespace sizewise::fitting

#pragma once

#include "sizewise/dataset_info.hpp"
#include "sizewise/host.hpp"
#include "sizewise/manifest.hpp"

#include "fitting/fit_report.hpp"
#include "planning/size_oracle.hpp"

namespace sizewise::fitting {

/// Turns an optimum of the law into a model that can be made: the allowed size nearest to
/// N* in log parameters, with its own N and D = C / c(size), in whole samples. c is
/// counted on that size, unless this machine could not train it: then it is the cost
/// model's.
/// @param largest parameters of the largest model that may be made
/// @throws Error kConfiguration where the family can only tell its sizes by making larger
/// models, and what the oracle throws
[[nodiscard]] Recommendation recommend(const FitReport& report,
                                       const Optimum& optimum,
                                       planning::SizeOracle& oracle,
                                       const SizeSpec& sizes,
                                       const DatasetInfo& data,
                                       Parameters largest);

}  // namespace sizewise::fitting

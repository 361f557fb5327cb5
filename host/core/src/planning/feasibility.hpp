#pragma once

#include <span>
#include <string>

#include "sizewise/dataset_info.hpp"
#include "sizewise/sweep.hpp"
#include "sizewise/units.hpp"

// What can be said about an experiment before anything large is made or trained.

namespace sizewise::planning {

/// @throws Error kConfiguration where a step's batch has more samples than the training
/// split
void check_batch(int64_t batch_size, const DatasetInfo& data);

/// Refuses a budget for which even the largest model that this machine can train repeats
/// the data more than a hundred times: no size and no law can be learnt from it.
/// Source: repeated data are worth little past 16 passes and nothing past some dozens
/// (Muennighoff et al. 2023, arXiv 2305.16264, section 6).
/// @param smallest what a unit of data costs the smallest model; larger ones are taken to
///   cost as much more as they have more parameters
/// @throws Error kConfiguration naming the budget and the largest one allowed
void check_budgets(std::span<const Flops> budgets,
                   const SizeFacts& smallest,
                   const DatasetInfo& data,
                   Parameters largest);

/// What to warn of where the budgets are too few for a law; empty: nothing.
[[nodiscard]] std::string few_budgets_warning(std::span<const Flops> budgets);

}  // namespace sizewise::planning

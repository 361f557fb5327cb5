#pragma once

#include <cstdint>
#include <vector>

#include "sizewise/dataset.hpp"

namespace sizewise::datasets {

/// How many samples each split has.
struct SplitSizes {
  int64_t train = 0;
  int64_t validation = 0;
};

/// The samples that a batch holds, as indices into its split: the shuffled stream of
/// epochs when training; in order, ending with the split, for validation (none past its
/// end). [any thread]
/// @throws Error kInput where the position is negative or no sample is asked for
[[nodiscard]] std::vector<int64_t> samples_of(const BatchRequest& request,
                                              const SplitSizes& sizes);

}  // namespace sizewise::datasets

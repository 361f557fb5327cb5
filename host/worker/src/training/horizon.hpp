#pragma once

#include <cstdint>
#include <vector>

#include "sizewise/dataset_info.hpp"
#include "sizewise/experiment.hpp"

namespace sizewise::training {

/// How a trial's data divide into optimizer steps.
struct Horizon {
  int64_t samples = 0;     ///< samples that the trial consumes, no more and no less
  int64_t batch_size = 1;  ///< samples of every step but the last
  int64_t steps = 0;

  /// The samples of one step (0-based): the last one may be short.
  [[nodiscard]] int64_t samples_in_step(int64_t step) const;
};

/// Divides `tokens` units of training data into steps of `recipe.batch_size` samples.
/// @throws Error kConfiguration where `tokens` is no positive multiple of
///   data.units_per_sample, or is less than one batch; kInput where the dataset has no
///   training samples
[[nodiscard]] Horizon plan_horizon(int64_t tokens,
                                   const DatasetInfo& data,
                                   const Recipe& recipe);

/// The samples of each pass of a step that accumulates gradients: as even as can be, the
/// larger passes first, none empty.
[[nodiscard]] std::vector<int64_t> split_step(int64_t samples, int64_t passes);

}  // namespace sizewise::training

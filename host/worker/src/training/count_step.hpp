#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "training/trial.hpp"

namespace sizewise::training {

/// What training a size costs.
struct StepCost {
  int64_t params = 0;
  double flops_per_unit = kNotMeasured;  ///< counted, forward and backward
  std::set<std::string> uncounted;       ///< matrix work without a FLOP formula
};

/// Counts one optimizer step of a new model of `size`, forward and backward, over
/// recipe.batch_size samples; nothing is updated.
/// @throws Error what the plugins throw, named
[[nodiscard]] StepCost count_step(const Ingredients& ingredients, int64_t size);

/// The warning about operators that no formula counts.
[[nodiscard]] std::string uncounted_warning(const std::set<std::string>& uncounted);

}  // namespace sizewise::training

#pragma once

#include <cstdint>

#include "sizewise/experiment.hpp"

namespace sizewise::training {

/// The peak learning rate of a model with `params` parameters:
/// learning_rate * (params / reference)^exponent.
[[nodiscard]] double peak_learning_rate(const Recipe& recipe, int64_t params);

/// The share of the peak rate at a step of [0, steps), by recipe.schedule over exactly
/// these steps. A linear warm-up takes the first recipe.warmup of them; it starts above
/// zero and ends at 1. Then
/// - "cosine": (1 + cos(pi p)) / 2 with p the share of the remaining steps already taken,
///   so the rate falls to (nearly) zero and no step is wasted on a rate of exactly zero.
///   Source: Loshchilov and Hutter 2017, "SGDR", equation 5, one cycle.
/// - "constant": 1.
/// - "wsd": 1, then linearly to (nearly) zero over the last fifth of all steps.
///   Source: Haegele et al. 2024, "Scaling laws and compute-optimal training beyond fixed
///   training durations", section 3 (20 % of the steps for the decay).
[[nodiscard]] double learning_rate_factor(const Recipe& recipe,
                                          int64_t step,
                                          int64_t steps);

}  // namespace sizewise::training

#pragma once

#include <span>
#include <vector>

#include "sizewise/fit.hpp"

#include "power_law.hpp"

// What a method finds on noise-free losses of the parametric law tells its bias.

namespace sizewise::fits {

/// The losses that a law predicts, row by row.
[[nodiscard]] std::vector<double> noise_free_losses(const Law& law,
                                                    std::span<const double> params,
                                                    std::span<const double> tokens);

/// FLOPs a parameter and unit as a power of N: 6 and exponent 0 where C = 6 N D.
[[nodiscard]] PowerLaw cost_law(std::span<const double> params,
                                std::span<const double> tokens,
                                std::span<const double> flops);

/// a of a law of form "chinchilla" where training costs k N^growth D.
/// Source: Hoffmann et al. 2022 (arXiv 2203.15556), equation 4, with growth = 1.
[[nodiscard]] double best_exponent(const Law& law, double growth);

}  // namespace sizewise::fits

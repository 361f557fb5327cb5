#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sizewise/runs.hpp"

namespace sizewise::fitting {

/// What a bootstrap draws: groups of rows.
struct Clusters {
  std::string unit;  ///< "row" or "run_id"
  std::vector<std::vector<std::size_t>> rows;
};

/// Single rows, or whole runs where a run_id repeats: checkpoints of one run share its
/// luck. A row without a run_id is a run of its own; of one run alone, rows are drawn.
[[nodiscard]] Clusters clusters_of(const RunTable& runs);

/// The stream of random numbers of one replicate; it follows from both numbers.
[[nodiscard]] std::mt19937_64 random_of(uint64_t seed, uint64_t replicate);

/// A normal number of mean 0 and variance 1, the same on every system.
[[nodiscard]] double draw_normal(std::mt19937_64& random);

/// How often each row stands in a resample: as many clusters as there are, drawn with
/// replacement.
[[nodiscard]] std::vector<double> resample(const Clusters& clusters,
                                           std::size_t rows,
                                           std::mt19937_64& random);

/// Losses with new noise: `centre` times exp(noise * z), one normal z a cluster.
[[nodiscard]] std::vector<double> with_noise(const Clusters& clusters,
                                             const std::vector<double>& centre,
                                             double noise,
                                             std::mt19937_64& random);

}  // namespace sizewise::fitting

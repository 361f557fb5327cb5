#pragma once

#include <cstdint>
#include <vector>

#include "code_loops.hpp"

// The scales of a whole weight. Plain C++.

namespace sizewise::quantizers {

/// A weight as runs of floats, one after another. Each run has a scale of its own, or all
/// share one.
struct WeightRuns {
  const float* values = nullptr;
  int64_t count = 0;
  int64_t length = 0;
  bool share = false;

  [[nodiscard]] const float* run(int64_t index) const { return values + index * length; }
  [[nodiscard]] int64_t scales() const { return share ? 1 : count; }
};

/// How scales are chosen.
struct ScaleRules {
  CodeLimits limits;
  bool has_zero_point = false;
  bool clips = false;  ///< the range of least squared error, else the whole one
};

/// Scales of a weight, and what they cost.
struct WeightScales {
  std::vector<CodeScale> scales;
  double squared_error = 0.0;  ///< of all codes; the same for any number of threads
};

/// The range of each scale. @param threads at most; small weights take fewer
[[nodiscard]] std::vector<ValueRange> ranges_of(const WeightRuns& runs, int threads);

/// The scale of each range; where the rules clip, the best of shares of the range from 1
/// to 0.4. Source: Nagel et al. 2021 (arXiv 2106.08295), section 3.1.
/// @param ranges as ranges_of() gave them, all finite
[[nodiscard]] WeightScales scales_of(const WeightRuns& runs,
                                     const std::vector<ValueRange>& ranges,
                                     const ScaleRules& rules,
                                     int threads);

/// @param codes as many as the weight has values
void encode_runs(const WeightRuns& runs,
                 const std::vector<CodeScale>& scales,
                 const CodeLimits& limits,
                 int threads,
                 int8_t* codes);

}  // namespace sizewise::quantizers

#pragma once

#include <cstdint>
#include <vector>

#include "quantizing/histogram.hpp"
#include "quantizing/range_observer.hpp"

namespace sizewise::quantizing {

/// Values that calibration saw.
struct ObservedValues {
  std::vector<HistogramBin> bins;  ///< as Histogram::bins() gives them; at least one
  ObservedRange all;               ///< holds all of them and 0
};

/// The shortest range that keeps 99.99 % of the values (all, of fewer than 10,000): the
/// tails are cut where that shortens the range most, since its length is the step's.
[[nodiscard]] ObservedRange percentile_range(const ObservedValues& values);

/// The range whose 8-bit codes, one of which is 0, have the least squared error.
[[nodiscard]] ObservedRange least_error_range(const ObservedValues& values);

/// The range [-t, t], as far as there are values, whose 256 codes lose least of the
/// values' distribution: the Kullback-Leibler divergence, over 2048 bins of absolute
/// values. Values that are 0 say nothing, as 0 has a code of its own.
/// Source: S. Migacz, "8-bit inference with TensorRT", GTC 2017, pages 19 to 38.
[[nodiscard]] ObservedRange least_divergence_range(const ObservedValues& values);

}  // namespace sizewise::quantizing

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "quantizing/clipped_range.hpp"

namespace sizewise::quantizing {
namespace {

constexpr std::size_t kDivergenceLevels = 256;
constexpr std::size_t kEvenBins = 2048;      ///< bins of equal width on each side of 0
constexpr std::size_t kThresholdStride = 8;  ///< bins by which thresholds differ
/// Values that a level holds in which there are none but those that were cut, which would
/// make the divergence infinite. Source: onnxruntime, quantization/calibrate.py.
constexpr double kAlmostNone = 1e-4;

/// Spreads a bin's values over bins of width 1.
/// @param lower, upper in widths, from the first bin on
void spread_evenly(double lower, double upper, double count, std::vector<double>& even) {
  const auto limited = [&](double position) {
    return std::min(static_cast<std::size_t>(position), even.size() - 1);
  };
  const std::size_t first = limited(lower);
  const std::size_t last = limited(upper);
  if (first == last) {
    even[first] += count;
    return;
  }
  const double density = count / (upper - lower);
  even[first] += density * (static_cast<double>(first + 1) - lower);
  for (std::size_t i = first + 1; i < last; ++i) {
    even[i] += density;
  }
  even[last] += density * (upper - static_cast<double>(last));
}

/// Bins of equal width over [-largest, largest]; without the zeros.
std::vector<double> even_bins(const std::vector<HistogramBin>& bins, double largest) {
  std::vector<double> even(2 * kEvenBins, 0.0);
  const double width = largest / static_cast<double>(kEvenBins);
  const auto position = [&](double value) {
    return std::max(value / width + static_cast<double>(kEvenBins), 0.0);
  };
  for (const HistogramBin& bin : bins) {
    if (bin.lower > 0.0 || bin.upper < 0.0) {
      spread_evenly(
          position(bin.lower), position(bin.upper), static_cast<double>(bin.count), even);
    }
  }
  return even;
}

double total_of(std::span<const double> numbers) {
  double total = 0.0;
  for (const double number : numbers) {
    total += number;
  }
  return total;
}

/// The divergence of some bins, each at the mean of the others of its level, from the
/// same bins with all that lies outside added to the outermost ones.
/// @param below, above what lies outside
double divergence(std::span<const double> bins, double below, double above) {
  const double inside = total_of(bins);
  const double total = inside + below + above;
  if (inside <= 0.0) {
    return std::numeric_limits<double>::infinity();
  }
  const auto expected = [&](std::size_t i) {
    return bins[i] + (i == 0 ? below : 0.0) + (i + 1 == bins.size() ? above : 0.0);
  };
  double result = 0.0;
  const std::size_t levels = std::min(kDivergenceLevels, bins.size());
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t first = level * bins.size() / levels;
    const std::size_t last = (level + 1) * bins.size() / levels;
    double occupied = 0.0;
    for (std::size_t i = first; i < last; ++i) {
      occupied += expected(i) > 0.0 ? 1.0 : 0.0;
    }
    const double mean =
        total_of(bins.subspan(first, last - first)) / std::max(occupied, 1.0);
    for (std::size_t i = first; i < last; ++i) {
      const double share = expected(i) / total;
      if (share > 0.0) {
        result += share * std::log(share * inside / std::max(mean, kAlmostNone));
      }
    }
  }
  return result;
}

}  // namespace

ObservedRange least_divergence_range(const ObservedValues& values) {
  const double largest = std::max(-values.all.minimum, values.all.maximum);
  if (largest <= 0.0) {
    return values.all;
  }
  const std::vector<double> even = even_bins(values.bins, largest);
  const double width = largest / static_cast<double>(kEvenBins);
  const auto on_side = [&](double extent) {  // bins between 0 and the farthest value
    return std::min(static_cast<std::size_t>(std::ceil(extent / width)), kEvenBins);
  };
  const std::size_t negative = on_side(-values.all.minimum);
  const std::size_t positive = on_side(values.all.maximum);

  std::size_t best = kEvenBins;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t threshold = kEvenBins; threshold > 0; threshold -= kThresholdStride) {
    const std::size_t first = kEvenBins - std::min(threshold, negative);
    const std::size_t last = kEvenBins + std::min(threshold, positive);
    if (last - first < kDivergenceLevels) {
      break;  // every bin would be a level of its own, and the divergence 0
    }
    const std::span<const double> all(even);
    const double found = divergence(all.subspan(first, last - first),
                                    total_of(all.first(first)),
                                    total_of(all.subspan(last)));
    if (found < least) {
      least = found;
      best = threshold;
    }
  }
  const double limit = width * static_cast<double>(best);
  return {std::max(-limit, values.all.minimum), std::min(limit, values.all.maximum)};
}

}  // namespace sizewise::quantizing

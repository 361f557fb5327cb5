#include <algorithm>
#include <cstddef>

#include "quantizing/clipped_range.hpp"

namespace sizewise::quantizing {
namespace {

constexpr uint64_t kKeptForOneCut = 10'000;  ///< so many values may lie outside

}  // namespace

ObservedRange percentile_range(const ObservedValues& values) {
  const std::vector<HistogramBin>& bins = values.bins;
  uint64_t count = 0;
  for (const HistogramBin& bin : bins) {
    count += bin.count;
  }
  const uint64_t allowed = count / kKeptForOneCut;

  // All of what is allowed is cut above first; each bin that is cut below gives some
  // back.
  std::size_t last = bins.size() - 1;
  uint64_t cut = 0;
  while (last > 0 && cut + bins[last].count <= allowed) {
    cut += bins[last--].count;
  }
  const auto range_from = [&](std::size_t first) {
    return ObservedRange{std::min(bins[first].lower, 0.0),
                         std::max(bins[last].upper, 0.0)};
  };
  const auto length = [](const ObservedRange& range) {
    return range.maximum - range.minimum;
  };
  ObservedRange best = range_from(0);
  uint64_t below = 0;
  for (std::size_t first = 0; first + 1 < bins.size(); ++first) {
    below += bins[first].count;
    if (below > allowed) {
      break;
    }
    cut += bins[first].count;
    while (cut > allowed) {
      cut -= bins[++last].count;
    }
    const ObservedRange range = range_from(first + 1);
    if (length(range) < length(best)) {
      best = range;
    }
  }
  return best;
}

}  // namespace sizewise::quantizing

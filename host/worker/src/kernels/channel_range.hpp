#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/level_functions.hpp"

namespace sizewise::kernels {

/// Output channels first..last - 1 of a product. `first` is a multiple of 64, `last` too
/// unless it is the number of channels; first == last is none.
struct ChannelRange {
  int64_t first = 0;
  int64_t last = 0;
};

/// Part `part` of `parts` (at least 1) nearly equal ones, for one thread each; some are
/// empty where there are more parts than blocks of 64 channels.
[[nodiscard]] constexpr ChannelRange part_of_channels(int64_t channels,
                                                      int64_t part,
                                                      int64_t parts) {
  const int64_t blocks = (channels + kBlockChannels - 1) / kBlockChannels;
  return {std::min(channels, blocks * part / parts * kBlockChannels),
          std::min(channels, blocks * (part + 1) / parts * kBlockChannels)};
}

}  // namespace sizewise::kernels

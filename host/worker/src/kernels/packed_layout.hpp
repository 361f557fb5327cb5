#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/level_functions.hpp"

namespace sizewise::kernels {

/// Where the codes of a channel and a step lie: blocks of 64 channels one after another,
/// [blocks, steps, strips, 16, 4] in bytes. The last block has as many strips as it
/// needs.
struct PackedLayout {
  int64_t channels = 0;
  int64_t steps = 0;

  [[nodiscard]] int64_t blocks() const {
    return (channels + kBlockChannels - 1) / kBlockChannels;
  }
  /// Channels with those that fill the last block.
  [[nodiscard]] int64_t padded_channels() const { return blocks() * kBlockChannels; }
  [[nodiscard]] int64_t channels_of(int64_t block) const {
    return std::min(kBlockChannels, channels - block * kBlockChannels);
  }
  [[nodiscard]] int64_t strips_of(int64_t block) const {
    return (channels_of(block) + kStripChannels - 1) / kStripChannels;
  }
  [[nodiscard]] int64_t block_offset(int64_t block) const {
    return block * steps * kBlockChannels * 4;
  }
  /// Bytes from one step of a channel of the block to the next.
  [[nodiscard]] int64_t step_bytes(int64_t block) const {
    return strips_of(block) * kStripChannels * 4;
  }
  /// Of the 4 bytes of a channel in a step.
  [[nodiscard]] int64_t offset(int64_t channel, int64_t step) const {
    const int64_t block = channel / kBlockChannels;
    return block_offset(block) + step * step_bytes(block) + channel % kBlockChannels * 4;
  }
  [[nodiscard]] int64_t bytes() const {
    const int64_t last = blocks() - 1;
    return channels == 0 ? 0 : block_offset(last) + steps * step_bytes(last);
  }
};

}  // namespace sizewise::kernels

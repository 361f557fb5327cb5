#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/int4_product.hpp"

namespace sizewise::kernels {
namespace {

constexpr uint8_t kMiddleCode = 8;

/// The 8 codes of one channel and step.
void gather_step(const uint8_t* from, uint8_t* to) {
  uint32_t both = 0;
  std::memcpy(&both, from, sizeof both);
  const uint32_t halves[2] = {both & 0x0F0F0F0FU, (both >> 4) & 0x0F0F0F0FU};
  std::memcpy(to, halves, sizeof halves);
}

using Four [[gnu::vector_size(16)]] = uint32_t;

/// The 32 codes of 4 steps, of 4 channels kMostInt4Columns apart: a square of 4 x 4 words
/// turned round.
void gather_square(const uint8_t* from, int64_t step_bytes, uint8_t* to) {
  Four steps[4];
  for (int64_t i = 0; i < 4; ++i) {
    std::memcpy(&steps[i], from + i * step_bytes, sizeof(Four));
  }
  const Four a = __builtin_shufflevector(steps[0], steps[1], 0, 4, 1, 5);
  const Four b = __builtin_shufflevector(steps[2], steps[3], 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(steps[0], steps[1], 2, 6, 3, 7);
  const Four d = __builtin_shufflevector(steps[2], steps[3], 2, 6, 3, 7);
  const Four channels[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5),
                            __builtin_shufflevector(a, b, 2, 3, 6, 7),
                            __builtin_shufflevector(c, d, 0, 1, 4, 5),
                            __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (const Four& both : channels) {
    const Four low = both & 0x0F0F0F0FU;
    const Four high = (both >> 4) & 0x0F0F0F0FU;
    const Four halves[2] = {__builtin_shufflevector(low, high, 0, 4, 1, 5),
                            __builtin_shufflevector(low, high, 2, 6, 3, 7)};
    std::memcpy(to, halves, sizeof halves);
    to += kMostInt4Columns;
  }
}

}  // namespace

/// Weights as floats, a strip of channels and a span at a time.
class TileUnpacker {
 public:
  TileUnpacker(const Int4Weights& weights, const LevelFunctions& level)
      : weights_(weights),
        level_(level),
        codes_(static_cast<std::size_t>(kStripChannels * kMostInt4Columns)) {}

  template <class T>
  void unpack(ChannelRange range, T* out, int64_t out_stride) {
    for (int64_t n = range.first; n < range.last;) {
      const int64_t strip = n / kStripChannels * kStripChannels;
      const int64_t last = std::min(range.last, strip + kStripChannels);
      for (int64_t i = 0; i < weights_.span_count(); ++i) {
        const Int4Span& span = weights_.spans_[static_cast<std::size_t>(i)];
        gather(strip, span);
        for (int64_t channel = n; channel < last; ++channel) {
          T* to = out + (channel - range.first) * out_stride + span.first;
          decode(channel, i, span.count, to);
        }
      }
      n = last;
    }
  }

 private:
  uint8_t* codes_of(int64_t channel) {
    return codes_.data() + channel % kStripChannels * kMostInt4Columns;
  }

  // A strip's 64 bytes are one line of the cache: all its channels at once.
  void gather(int64_t strip, const Int4Span& span) {
    const int64_t steps = (span.count + kInt4StepColumns - 1) / kInt4StepColumns;
    const int64_t step_bytes = weights_.layout_.step_bytes(strip / kBlockChannels);
    const uint8_t* from = weights_.packed_.data() +
                          weights_.layout_.offset(strip, span.first / kInt4StepColumns);
    int64_t step = 0;
    for (; step + 4 <= steps; step += 4, from += 4 * step_bytes) {
      for (int64_t n = 0; n < kStripChannels; n += 4) {
        gather_square(from + 4 * n, step_bytes, codes_of(n) + step * kInt4StepColumns);
      }
    }
    for (; step < steps; ++step, from += step_bytes) {
      for (int64_t n = 0; n < kStripChannels; ++n) {
        gather_step(from + 4 * n, codes_of(n) + step * kInt4StepColumns);
      }
    }
  }

  template <class T>
  void decode(int64_t channel, int64_t span, int64_t count, T* out) {
    const int64_t at = weights_.span_offset(channel, span);
    const bool has_zeros = weights_.span_zero_point_.size() > 0;
    const int32_t zero = has_zeros ? weights_.span_zero_point_[at] : kMiddleCode;
    const float scale = weights_.span_scale_[at];
    if constexpr (sizeof(T) == sizeof(float)) {
      level_.decode(codes_of(channel), count, scale, zero, out);
    } else {
      level_.decode_bf16(codes_of(channel), count, scale, zero, out);
    }
  }

  const Int4Weights& weights_;
  const LevelFunctions& level_;
  std::vector<uint8_t> codes_;  // [16, kMostInt4Columns]
};

void unpack_tile(const Int4Weights& weights,
                 ChannelRange range,
                 float* out,
                 int64_t out_stride,
                 const LevelFunctions& level) {
  TileUnpacker(weights, level).unpack(range, out, out_stride);
}

void unpack_tile(const Int4Weights& weights,
                 ChannelRange range,
                 uint16_t* out,
                 int64_t out_stride,
                 const LevelFunctions& level) {
  TileUnpacker(weights, level).unpack(range, out, out_stride);
}

}  // namespace sizewise::kernels

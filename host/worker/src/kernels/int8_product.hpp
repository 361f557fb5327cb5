#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/activation_codes.hpp"
#include "kernels/aligned_buffer.hpp"
#include "kernels/channel_range.hpp"
#include "kernels/level_functions.hpp"
#include "kernels/packed_layout.hpp"

namespace sizewise::kernels {

/// Weights [channels, columns] as signed bytes, packed once for the product:
/// weight = (code - zero_point) * scale.
class Int8Weights {
 public:
  /// @param codes [channels, columns] by rows
  /// @param scale [channels] or [1], finite
  /// @param zero_point [channels] or [1], -128..127; or none: all 0
  /// @throws sizewise::Error quantization for anything else, or more than kMostColumns.
  Int8Weights(std::span<const int8_t> codes,
              int64_t channels,
              int64_t columns,
              std::span<const float> scale,
              std::span<const int32_t> zero_point = {});

  [[nodiscard]] int64_t channels() const { return layout_.channels; }
  [[nodiscard]] int64_t columns() const { return columns_; }
  [[nodiscard]] bool has_zero_points() const { return !zero_point_.empty(); }
  /// Bytes of memory held.
  [[nodiscard]] int64_t bytes() const;
  /// The codes as they were given, [channels, columns].
  [[nodiscard]] std::vector<int8_t> codes() const;

 private:
  friend void multiply(const Int8Weights& weights,
                       const CodedRows& x,
                       ChannelRange range,
                       const float* bias,
                       float* out,
                       int64_t out_stride,
                       const LevelFunctions& level);

  friend void unpack_tile(const Int8Weights& weights,
                          ChannelRange range,
                          float* out,
                          int64_t out_stride);

  void pack(const int8_t* codes);
  [[nodiscard]] Int8Block block_of(int64_t block, const CodedRows& x) const;
  void multiply_wide(Int8Block in, int64_t block, const LevelFunctions& level) const;

  int64_t columns_ = 0;
  PackedLayout layout_;
  AlignedBuffer<int8_t> packed_;
  // Padded to whole blocks, as the next two are.
  std::vector<float> scale_;
  std::vector<int64_t> wide_sum_;    // of a channel's codes
  std::vector<int32_t> sum_;         // the same; none above kMostInt8Columns
  std::vector<int32_t> zero_point_;  // none where all are 0
};

/// For every row m and each channel n of the range
///
///   out[m, n] = sum_k (x[m, k] - x_zero[m]) (w[n, k] - w_zero[n]) x_scale[m] w_scale[n]
///               + bias[n]
///
/// The sum is an exact integer, taken as
///   sum_k x w - x_zero[m] w_sum[n] - w_zero[n] (x_sum[m] - columns x_zero[m]);
/// then come one rounding to float, two products and the bias: relative to the largest
/// output within 1e-6. All processor levels give the same bits.
///
/// @param bias [channels] or null
/// @param out [x.rows, out_stride]; column n is channel n, others are left alone
/// @throws sizewise::Error quantization where the numbers of columns differ.
/// [any thread, ranges apart]
void multiply(const Int8Weights& weights,
              const CodedRows& x,
              ChannelRange range,
              const float* bias,
              float* out,
              int64_t out_stride,
              const LevelFunctions& level);

/// The same at the level that this process uses.
inline void multiply(const Int8Weights& weights,
                     const CodedRows& x,
                     ChannelRange range,
                     const float* bias,
                     float* out,
                     int64_t out_stride) {
  multiply(weights, x, range, bias, out, out_stride, used_functions());
}

/// Weights of channels first..last - 1 (any) as floats, by rows: channel `first` at
/// `out`, the next out_stride elements on. [any thread]
void unpack_tile(const Int8Weights& weights,
                 ChannelRange range,
                 float* out,
                 int64_t out_stride);

}  // namespace sizewise::kernels

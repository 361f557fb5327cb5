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

/// What a product needs of its activations besides their codes; made once for all ranges
/// of channels, and again and again without new memory while no larger.
struct Int4Input {
  AlignedBuffer<int8_t> signed_codes;  ///< [rows, stride], code - 128
  std::vector<int32_t> span_sums;      ///< [rows, spans], sums of codes under one scale
};

/// Weights [channels, columns] as 4-bit codes 0..15 with a scale for each group of
/// neighbouring columns, packed once: weight = (code - zero_point) * scale.
class Int4Weights {
 public:
  /// @param codes [channels, columns] by rows, one to a byte
  /// @param group_size a multiple of 16 below `columns`, or `columns`: one group to a
  /// row.
  ///   The last group is shorter where it does not divide `columns`.
  /// @param scale [channels, groups], finite
  /// @param zero_point [channels, groups], 0..15; or none: 8 everywhere (symmetric)
  /// @throws sizewise::Error quantization for anything else, or more than kMostColumns.
  Int4Weights(std::span<const uint8_t> codes,
              int64_t channels,
              int64_t columns,
              int64_t group_size,
              std::span<const float> scale,
              std::span<const uint8_t> zero_point = {});

  [[nodiscard]] int64_t channels() const { return layout_.channels; }
  [[nodiscard]] int64_t columns() const { return columns_; }
  [[nodiscard]] int64_t group_size() const { return group_size_; }
  [[nodiscard]] int64_t groups() const { return groups_; }
  /// Bytes of memory held.
  [[nodiscard]] int64_t bytes() const;
  /// The codes as they were given, [channels, columns].
  [[nodiscard]] std::vector<uint8_t> codes() const;

 private:
  friend void prepare_input(const Int4Weights& weights,
                            const CodedRows& x,
                            Int4Input& input,
                            const LevelFunctions& level);
  friend void multiply(const Int4Weights& weights,
                       const CodedRows& x,
                       const Int4Input& input,
                       ChannelRange range,
                       const float* bias,
                       float* out,
                       int64_t out_stride,
                       const LevelFunctions& level);
  friend class TileUnpacker;

  void make_spans();
  void pack(const uint8_t* codes);
  void set_spans(std::span<const float> scale, std::span<const uint8_t> zero_point);
  [[nodiscard]] int64_t span_count() const { return static_cast<int64_t>(spans_.size()); }
  /// Of a channel in arrays [blocks, spans, 64].
  [[nodiscard]] int64_t span_offset(int64_t channel, int64_t span) const;

  int64_t columns_ = 0;
  int64_t group_size_ = 0;
  int64_t groups_ = 0;
  PackedLayout layout_;
  std::vector<Int4Span> spans_;  // groups, those above kMostInt4Columns in pieces
  AlignedBuffer<uint8_t> packed_;
  // Of spans, [blocks, spans, 64].
  AlignedBuffer<float> span_scale_;
  AlignedBuffer<uint8_t> span_zero_point_;  // none where all are 8
  AlignedBuffer<int16_t> span_sum_;         // of codes
};

/// Makes the input of a product of these weights and rows.
/// @throws sizewise::Error quantization where the numbers of columns differ.
void prepare_input(const Int4Weights& weights,
                   const CodedRows& x,
                   Int4Input& input,
                   const LevelFunctions& level = used_functions());

/// For every row m and each channel n of the range
///
///   out[m, n] = x_scale[m] sum_g w_scale[n, g] sum_{k in g}
///                 (x[m, k] - x_zero[m]) (w[n, k] - w_zero[n, g])  + bias[n]
///
/// The inner sums are exact integers, held exactly by a float; the outer one is in
/// floats, in order. All processor levels give the same bits. Codes with zero point 128
/// (CodeRange::kSymmetric) run fastest.
///
/// @param input what prepare_input() made of these rows
/// @param bias [channels] or null
/// @param out [x.rows, out_stride]; column n is channel n, others are left alone
/// @throws sizewise::Error quantization where the numbers of columns differ.
/// [any thread, ranges apart]
void multiply(const Int4Weights& weights,
              const CodedRows& x,
              const Int4Input& input,
              ChannelRange range,
              const float* bias,
              float* out,
              int64_t out_stride,
              const LevelFunctions& level);

/// The same at the level that this process uses.
inline void multiply(const Int4Weights& weights,
                     const CodedRows& x,
                     const Int4Input& input,
                     ChannelRange range,
                     const float* bias,
                     float* out,
                     int64_t out_stride) {
  multiply(weights, x, input, range, bias, out, out_stride, used_functions());
}

/// Weights of channels first..last - 1 (any) as floats, by rows: channel `first` at
/// `out`, the next out_stride elements on. For batches so large that a product of floats
/// is faster. [any thread]
void unpack_tile(const Int4Weights& weights,
                 ChannelRange range,
                 float* out,
                 int64_t out_stride,
                 const LevelFunctions& level = used_functions());

/// The same as bf16 (a float's upper half), rounded to the nearest, half to even.
void unpack_tile(const Int4Weights& weights,
                 ChannelRange range,
                 uint16_t* out,
                 int64_t out_stride,
                 const LevelFunctions& level = used_functions());

}  // namespace sizewise::kernels

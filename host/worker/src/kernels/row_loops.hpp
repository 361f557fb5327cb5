#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/level_functions.hpp"

// Plain loops over a row that every level's file compiles with its own flags: the
// compiler makes vectors of them, and all levels give the same bits, because no sum of
// floats is reordered and no product is fused with a sum (-ffp-contract=off). What
// level_loops.hpp says of the standard library holds here too.

namespace sizewise::kernels {

template <class V>
struct RowLoops {
  // 1.5 * 2^23: to add it rounds a small float to an integer, half to even, and leaves
  // that integer in the low bits.
  static constexpr float kRounding = 12582912.0F;
  static constexpr int32_t kRoundingBits = 0x4B400000;

  static void finish_int8_row(const Int8Block& in, int64_t row, const int32_t* sums) {
    float values[kBlockChannels];
    if (in.weight_zero_point == nullptr) {
      scale_sums<false>(in, row, sums, values);
    } else {
      scale_sums<true>(in, row, sums, values);
    }
    write_row(values, in.bias, in.channels, in.out + row * in.out_stride);
  }

  // Parts of a sum may wrap around, the whole does not (kMostInt8Columns).
  template <bool kHasWeightZeros>
  static void scale_sums(const Int8Block& in,
                         int64_t row,
                         const int32_t* sums,
                         float* values) {
    const int64_t at = row * in.parameter_step;
    const float scale = in.scale[at];
    const auto zero = static_cast<uint32_t>(in.zero_point[at]);
    uint32_t offset = 0;
    if (kHasWeightZeros) {
      offset = static_cast<uint32_t>(in.code_sum[row]) -
               zero * static_cast<uint32_t>(in.columns);
    }
    for (int64_t n = 0; n < kBlockChannels; ++n) {
      uint32_t sum = static_cast<uint32_t>(sums[n]);
      sum -= zero * static_cast<uint32_t>(in.weight_sum[n]);
      if (kHasWeightZeros) {
        sum -= offset * static_cast<uint32_t>(in.weight_zero_point[n]);
      }
      values[n] =
          static_cast<float>(static_cast<int32_t>(sum)) * scale * in.weight_scale[n];
    }
  }

  /// totals += (sum of (code - zero) * (weight - weight zero)) * scale, for one span. The
  /// sums are those of (code - 128) * weight.
  static void add_int4_span(const Int4Block& in,
                            int64_t row,
                            int64_t span,
                            const int32_t* sums,
                            float* totals) {
    const int32_t zero_point = in.zero_point[row * in.parameter_step];
    const int32_t offset = in.code_sum[row * in.span_count + span] -
                           zero_point * static_cast<int32_t>(in.spans[span].count);
    const int32_t zero = zero_point - 128;
    const int64_t at = span * kBlockChannels;
    if (zero == 0 && in.span_zero_point == nullptr) {
      add_span<false, false>(in, at, zero, offset, sums, totals);
    } else if (zero == 0) {
      add_span<false, true>(in, at, zero, offset, sums, totals);
    } else if (in.span_zero_point == nullptr) {
      add_span<true, false>(in, at, zero, offset, sums, totals);
    } else {
      add_span<true, true>(in, at, zero, offset, sums, totals);
    }
  }

  // One loop for each case, so that nothing goes through memory between its steps.
  template <bool kHasZero, bool kHasWeightZeros>
  static void add_span(const Int4Block& in,
                       int64_t at,
                       int32_t zero,
                       int32_t offset,
                       const int32_t* sums,
                       float* __restrict totals) {
    const float* scale = in.span_scale + at;
    const int16_t* weight_sum = in.span_weight_sum + at;
    const uint8_t* weight_zero = in.span_zero_point + (kHasWeightZeros ? at : 0);
    const int32_t middle = offset * 8;
    for (int64_t n = 0; n < kBlockChannels; ++n) {
      int32_t sum = sums[n] - (kHasWeightZeros ? offset * weight_zero[n] : middle);
      sum -= kHasZero ? zero * weight_sum[n] : 0;
      totals[n] += static_cast<float>(sum) * scale[n];
    }
  }

  static void finish_int4_row(const Int4Block& in, int64_t row, const float* totals) {
    const float scale = in.scale[row * in.parameter_step];
    float values[kBlockChannels];
    for (int64_t n = 0; n < kBlockChannels; ++n) {
      values[n] = totals[n] * scale;
    }
    write_row(values, in.bias, in.channels, in.out + row * in.out_stride);
  }

  static void write_row(float* values, const float* bias, int64_t channels, float* out) {
    if (bias != nullptr) {
      for (int64_t n = 0; n < channels; ++n) {
        values[n] += bias[n];
      }
    }
    std::memcpy(out, values, static_cast<std::size_t>(channels) * sizeof(float));
  }

  static KeyRange key_range(const float* values, int64_t count) {
    int32_t low = INT32_MAX;
    int32_t high = INT32_MIN;
    for (int64_t i = 0; i < count; ++i) {
      int32_t bits = 0;
      std::memcpy(&bits, values + i, sizeof bits);
      const int32_t key = bits ^ ((bits >> 31) & INT32_MAX);
      low = key < low ? key : low;
      high = key > high ? key : high;
    }
    return {low, high};
  }

  static int32_t encode(const float* values,
                        int64_t count,
                        float scale,
                        int32_t zero_point,
                        uint8_t* codes) {
    const auto low = static_cast<float>(-zero_point);
    const auto high = static_cast<float>(255 - zero_point);
    const int32_t shift = kRoundingBits - zero_point;
    int32_t sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      float quotient = values[i] / scale;
      quotient = quotient < low ? low : quotient;
      quotient = quotient > high ? high : quotient;
      const float rounded = quotient + kRounding;
      int32_t bits = 0;
      std::memcpy(&bits, &rounded, sizeof bits);
      const int32_t code = (bits - shift) & 255;
      sum += code;
      codes[i] = static_cast<uint8_t>(code);
    }
    return sum;
  }

  static SplitSums encode_split(
      const float* values, int64_t count, float scale, uint8_t* high, uint8_t* low) {
    SplitSums sums{};
    for (int64_t i = 0; i < count; ++i) {
      const float rounded = values[i] / scale + kRounding;
      int32_t bits = 0;
      std::memcpy(&bits, &rounded, sizeof bits);
      const int32_t both = bits - kRoundingBits + 128 * 257;
      sums.high += both >> 8;
      sums.low += both & 255;
      high[i] = static_cast<uint8_t>(both >> 8);
      low[i] = static_cast<uint8_t>(both);
    }
    return sums;
  }

  static int32_t code_sum(const uint8_t* codes, int64_t count) {
    int32_t sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      sum += codes[i];
    }
    return sum;
  }

  static void decode(
      const uint8_t* codes, int64_t count, float scale, int32_t zero_point, float* out) {
    for (int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<float>(codes[i] - zero_point) * scale;
    }
  }

  /// By a table of the 16 values that 4 bits can mean.
  static void decode_bf16(const uint8_t* codes,
                          int64_t count,
                          float scale,
                          int32_t zero_point,
                          uint16_t* out) {
    alignas(64) uint16_t table[16];
    for (int32_t code = 0; code < 16; ++code) {
      const float value = static_cast<float>(code - zero_point) * scale;
      uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      // To the nearest, half to even, by carrying into the upper half.
      table[code] = static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
    int64_t i = V::look_up(table, codes, count, out);
    for (; i < count; ++i) {
      out[i] = table[codes[i] & 15];
    }
  }
};

}  // namespace sizewise::kernels

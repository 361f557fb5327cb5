#pragma once

#include <cstdint>

#include "kernels/processor_level.hpp"

// What every processor level provides, as plain functions over plain structs. Channels
// come in blocks of 64 (kBlockChannels), a block in 1 to 4 strips of 16. A block's codes
// lie by steps: of each step all strips, of a strip 16 channels with 4 bytes each.

namespace sizewise::kernels {

inline constexpr int64_t kStripChannels = 16;
inline constexpr int64_t kBlockChannels = 64;
/// Columns of one step: a byte holds one code of int8, two of int4 (the low half columns
/// 0 to 3, the high half columns 4 to 7).
inline constexpr int64_t kInt8StepColumns = 4;
inline constexpr int64_t kInt4StepColumns = 8;
/// Columns whose corrected sums fit 32 bits: 32768 * 255 * 255 < 2^31. More are summed in
/// pieces.
inline constexpr int64_t kMostInt8Columns = 32768;
/// Columns of one int4 span: sums stay below 2^24, so that a float holds them exactly,
/// and a block of them as bytes stays in a core's cache.
inline constexpr int64_t kMostInt4Columns = 1024;

/// Largest number that two codes stand for together: 256 * 127 + 127, rounded down to
/// whole high codes.
inline constexpr int32_t kMostSplit = 32512;

/// Raw sums of rows of u8 codes times a block of s8 codes.
struct Int8Sums {
  const uint8_t* codes;  ///< [rows, code_stride], 4 * steps of a row readable
  int64_t code_stride;
  int64_t rows;
  const int8_t* weights;  ///< [steps, strips, 16, 4]
  int64_t steps;
  int64_t strips;  ///< 1 to 4
  int32_t* sums;   ///< out: [rows, 64], of which strips * 16 are written
  bool adds;       ///< to what `sums` holds, rather than to 0
};

/// The same with what turns sums into floats; see int8_product.hpp for the formula.
struct Int8Block {
  Int8Sums product;  ///< without sums
  int64_t columns;
  const float* scale;                ///< of the codes, [rows] or [1]
  const int32_t* zero_point;         ///< of the codes, [rows] or [1]
  int64_t parameter_step;            ///< 1 or 0
  const int32_t* code_sum;           ///< [rows], or null where weight_zero is
  const float* weight_scale;         ///< [64]
  const int32_t* weight_sum;         ///< [64]
  const int32_t* weight_zero_point;  ///< [64] or null
  const float* bias;                 ///< [channels] or null
  int64_t channels;                  ///< 1 to 64
  float* out;                        ///< [rows, out_stride]
  int64_t out_stride;
};

/// Neighbouring columns under one scale.
struct Int4Span {
  int64_t first;  ///< a multiple of 16
  int64_t count;  ///< 1 to kMostInt4Columns
};

/// Rows of codes times a block of u4 codes with a scale for each span.
struct Int4Block {
  const int8_t* codes;  ///< code - 128, [rows, code_stride], whole steps readable
  int64_t code_stride;
  int64_t rows;
  const uint8_t* nibbles;  ///< [steps, strips, 16, 4]
  int64_t strips;          ///< 1 to 4
  const Int4Span* spans;
  int64_t span_count;
  const float* span_scale;         ///< [spans, 64]
  const uint8_t* span_zero_point;  ///< [spans, 64], or null: 8 everywhere
  const int16_t* span_weight_sum;  ///< [spans, 64]
  const int32_t* code_sum;         ///< [rows, spans], of codes, not less 128
  const float* scale;              ///< of the codes, [rows] or [1]
  const int32_t* zero_point;       ///< of the codes, [rows] or [1]
  int64_t parameter_step;          ///< 1 or 0
  const float* bias;               ///< [channels] or null
  int64_t channels;                ///< 1 to 64
  float* out;                      ///< [rows, out_stride]
  int64_t out_stride;
};

/// Least and greatest of some floats in an order of integers (see key_of_float()).
struct KeyRange {
  int32_t low;
  int32_t high;
};

/// Sums of codes that stand for one row in two halves.
struct SplitSums {
  int32_t high;
  int32_t low;
};

struct LevelFunctions {
  void (*int8_sums)(const Int8Sums&);
  void (*int8_block)(const Int8Block&);
  void (*int4_block)(const Int4Block&);
  /// Of `count` >= 1 values.
  KeyRange (*key_range)(const float* values, int64_t count);
  /// Writes round(value / scale) + zero_point, held to 0..255; returns the codes' sum.
  int32_t (*encode)(const float* values,
                    int64_t count,
                    float scale,
                    int32_t zero_point,
                    uint8_t* codes);
  /// Writes q = round(value / scale) as 256 * (high - 128) + low - 128; |q| is at most
  /// kMostSplit.
  SplitSums (*encode_split)(
      const float* values, int64_t count, float scale, uint8_t* high, uint8_t* low);
  int32_t (*code_sum)(const uint8_t* codes, int64_t count);
  /// out[i] = (codes[i] - zero_point) * scale, as floats or rounded to bf16; codes of 4
  /// bits.
  void (*decode)(
      const uint8_t* codes, int64_t count, float scale, int32_t zero_point, float* out);
  void (*decode_bf16)(const uint8_t* codes,
                      int64_t count,
                      float scale,
                      int32_t zero_point,
                      uint16_t* out);
};

/// The functions of a level, which the caller knows to be runnable. [any thread]
[[nodiscard]] const LevelFunctions& functions_of(ProcessorLevel level);

/// Those of used_level(). [any thread]
[[nodiscard]] const LevelFunctions& used_functions();

[[nodiscard]] const LevelFunctions& portable_functions();
#if defined(__x86_64__)
[[nodiscard]] const LevelFunctions& avx2_functions();
[[nodiscard]] const LevelFunctions& avx_vnni_functions();
[[nodiscard]] const LevelFunctions& avx512_vnni_functions();
#endif

}  // namespace sizewise::kernels

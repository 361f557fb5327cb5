#include "quantizing/turned_blocks.hpp"

#include <cstring>

namespace sizewise::quantizing {
namespace {

// Vectors of 16 bytes, which every processor of this kind has.
using Bytes = uint8_t __attribute__((vector_size(16)));
using Floats = float __attribute__((vector_size(16)));
constexpr int64_t kBytes = 16;
constexpr int64_t kFloats = 4;

template <class Vector, class T>
Vector load(const T* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

/// 16 x 16 bytes: to merge rows i and i + 8, four times, turns them.
void turn_block(const uint8_t* from,
                int64_t from_stride,
                uint8_t* to,
                int64_t to_stride) {
  Bytes rows[kBytes];
  for (int64_t i = 0; i < kBytes; ++i) {
    rows[i] = load<Bytes>(from + i * from_stride);
  }
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    Bytes merged[kBytes];
#pragma GCC unroll 8
    for (std::ptrdiff_t i = 0; i < 8; ++i) {
      const Bytes a = rows[i];
      const Bytes b = rows[i + 8];
      merged[2 * i] = __builtin_shufflevector(
          a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      merged[2 * i + 1] = __builtin_shufflevector(
          a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kBytes; ++i) {
      rows[i] = merged[i];
    }
  }
  for (int64_t i = 0; i < kBytes; ++i) {
    std::memcpy(to + i * to_stride, &rows[i], sizeof rows[i]);
  }
}

/// 4 x 4 floats.
void turn_block(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const auto a = load<Floats>(from);
  const auto b = load<Floats>(from + from_stride);
  const auto c = load<Floats>(from + 2 * from_stride);
  const auto d = load<Floats>(from + 3 * from_stride);
  const Floats low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Floats low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Floats high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Floats high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Floats turned[] = {__builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5),
                           __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7),
                           __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5),
                           __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7)};
  for (int64_t i = 0; i < kFloats; ++i) {
    std::memcpy(to + i * to_stride, &turned[i], sizeof turned[i]);
  }
}

template <int64_t kSide, class T>
void turn(const T* from,
          int64_t from_stride,
          int64_t rows,
          int64_t columns,
          T* to,
          int64_t to_stride) {
  const int64_t whole_rows = rows / kSide * kSide;
  const int64_t whole_columns = columns / kSide * kSide;
  for (int64_t c = 0; c < whole_columns; c += kSide) {
    for (int64_t r = 0; r < whole_rows; r += kSide) {
      turn_block(
          from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
    }
  }
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; ++r) {
      to[c * to_stride + r] = from[r * from_stride + c];
    }
  }
}

}  // namespace

void turn_bytes(const uint8_t* from,
                int64_t from_stride,
                int64_t rows,
                int64_t columns,
                uint8_t* to,
                int64_t to_stride) {
  turn<kBytes>(from, from_stride, rows, columns, to, to_stride);
}

void turn_floats(const float* from,
                 int64_t from_stride,
                 int64_t rows,
                 int64_t columns,
                 float* to,
                 int64_t to_stride) {
  turn<kFloats>(from, from_stride, rows, columns, to, to_stride);
}

}  // namespace sizewise::quantizing

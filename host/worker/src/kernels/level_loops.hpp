#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/level_functions.hpp"
#include "kernels/row_loops.hpp"

// The products, written once over a level's vectors and compiled in each level's own file
// with that level's flags.
//
// Nothing here may use a function of the standard library that is compiled into the
// object: the linker would keep one copy of it, perhaps the one with AVX-512 in it, for
// the whole program. For the same reason `V` must be local to its file.

#define SIZEWISE_INLINE [[gnu::always_inline]] static inline

namespace sizewise::kernels {

/// V has: Register (32-bit sums of kLanes channels, from kLanes * 4 bytes), Codes,
/// Weights, Nibbles, their loads and products, kMostRows, kMostNibbleRows,
/// strips_at_once(rows), and kLeastRowsByBytes: from how many rows on nibbles become
/// bytes first, 0 for never.
template <class V>
struct LevelLoops {
  static constexpr int kPerStrip = static_cast<int>(kStripChannels) / V::kLanes;
  static constexpr int64_t kBytes = int64_t{V::kLanes} * 4;
  static constexpr int64_t kStripBytes = kStripChannels * 4;
  // Far enough ahead to hide memory's latency; the processor's own prefetcher stops at
  // the end of each page.
  static constexpr int64_t kPrefetchBytes = 2048;
  static constexpr int64_t kRowsByBytes = 96;  // their sums stay in the first cache
  // A piece of a block's weights, and the sums of the rows that it meets, stay there too:
  // 16 KiB and 12 KiB.
  static constexpr int64_t kStepsOfPiece = 64;
  static constexpr int64_t kRowsOfPiece = 48;
  // Fewer rows read the weights too seldom to pay for sums that come and go.
  static constexpr int64_t kLeastRowsByPieces = 192;

  /// Nothing is 0.
  template <int kRows, int kRegisters>
  SIZEWISE_INLINE void load(typename V::Register (&sums)[kRows][kRegisters],
                            const int32_t* from) {
    for (int row = 0; row < kRows; ++row) {
      for (int i = 0; i < kRegisters; ++i) {
        sums[row][i] = from == nullptr
                           ? V::zero()
                           : V::load(from + row * kBlockChannels + i * V::kLanes);
      }
    }
  }

  template <int kRows, int kRegisters>
  SIZEWISE_INLINE void store(const typename V::Register (&sums)[kRows][kRegisters],
                             int32_t* to) {
    for (int row = 0; row < kRows; ++row) {
      for (int i = 0; i < kRegisters; ++i) {
        V::store(sums[row][i], to + row * kBlockChannels + i * V::kLanes);
      }
    }
  }

  /// kSigned: codes are signed and weights unsigned bytes, rather than the other way.
  template <bool kSigned, int kRows, int kStrips>
  SIZEWISE_INLINE void int8_tile(const Int8Sums& in, int64_t strip) {
    constexpr int kRegisters = kStrips * kPerStrip;
    int32_t* to = in.sums + strip * kStripChannels;
    typename V::Register sums[kRows][kRegisters];
    load<kRows, kRegisters>(sums, in.adds ? to : nullptr);
    const int64_t step_bytes = in.strips * kStripBytes;
    const int8_t* weights = in.weights + strip * kStripBytes;
    for (int64_t step = 0; step < in.steps; ++step, weights += step_bytes) {
      typename V::Weights of_step[kRegisters];
#pragma GCC unroll 8
      for (int i = 0; i < kRegisters; ++i) {
        of_step[i] = V::weights(weights + i * kBytes);
        if (kRows == 1) {
          __builtin_prefetch(weights + kPrefetchBytes + i * kBytes);
        }
      }
#pragma GCC unroll 8
      for (int row = 0; row < kRows; ++row) {
        const auto codes = V::codes(in.codes + row * in.code_stride + 4 * step);
#pragma GCC unroll 8
        for (int i = 0; i < kRegisters; ++i) {
          if constexpr (kSigned) {
            sums[row][i] = V::dot_signed(sums[row][i], codes, of_step[i]);
          } else {
            sums[row][i] = V::dot(sums[row][i], codes, of_step[i]);
          }
        }
      }
    }
    store<kRows, kRegisters>(sums, to);
  }

  template <bool kSigned, int kRows>
  static void int8_tiles(const Int8Sums& in) {
    if constexpr (kRows > 1) {
      if (in.rows < kRows) {
        return int8_tiles<kSigned, kRows - 1>(in);
      }
    }
    constexpr int kAtOnce = V::strips_at_once(kRows);
    int64_t strip = 0;
    for (; strip + kAtOnce <= in.strips; strip += kAtOnce) {
      int8_tile<kSigned, kRows, kAtOnce>(in, strip);
    }
    for (; strip < in.strips; ++strip) {
      int8_tile<kSigned, kRows, 1>(in, strip);
    }
  }

  static void int8_sums(const Int8Sums& in) {
    Int8Sums tile = in;
    const int64_t most = rows_of_tile(in.rows, V::kMostRows);
    for (int64_t row = 0; row < in.rows; row += most) {
      tile.rows = in.rows - row < most ? in.rows - row : most;
      tile.codes = in.codes + row * in.code_stride;
      tile.sums = in.sums + row * kBlockChannels;
      int8_tiles<false, V::kMostRows>(tile);
    }
  }

  /// Many rows and columns: each piece of the weights is read from the second cache once
  /// for several tiles of rows.
  static void int8_block_by_pieces(const Int8Block& in) {
    alignas(64) int32_t sums[kRowsOfPiece * kBlockChannels];
    const int64_t most = rows_of_tile(in.product.rows, kRowsOfPiece);
    for (int64_t row = 0; row < in.product.rows; row += most) {
      Int8Sums piece = in.product;
      piece.rows = in.product.rows - row < most ? in.product.rows - row : most;
      piece.sums = sums;
      for (int64_t step = 0; step < in.product.steps; step += kStepsOfPiece) {
        const int64_t left = in.product.steps - step;
        piece.codes =
            in.product.codes + row * in.product.code_stride + step * kInt8StepColumns;
        piece.weights = in.product.weights + step * in.product.strips * kStripBytes;
        piece.steps = left < kStepsOfPiece ? left : kStepsOfPiece;
        piece.adds = step > 0;
        int8_sums(piece);
      }
      for (int64_t i = 0; i < piece.rows; ++i) {
        RowLoops<V>::finish_int8_row(in, row + i, sums + i * kBlockChannels);
      }
    }
  }

  static void int8_block(const Int8Block& in) {
    if (in.product.rows >= kLeastRowsByPieces && in.product.steps > kStepsOfPiece) {
      return int8_block_by_pieces(in);
    }
    alignas(64) int32_t sums[V::kMostRows * kBlockChannels] = {};
    Int8Sums tile = in.product;
    tile.sums = sums;
    const int64_t most = rows_of_tile(in.product.rows, V::kMostRows);
    for (int64_t row = 0; row < in.product.rows; row += most) {
      tile.rows = in.product.rows - row < most ? in.product.rows - row : most;
      tile.codes = in.product.codes + row * in.product.code_stride;
      int8_tiles<false, V::kMostRows>(tile);
      for (int64_t i = 0; i < tile.rows; ++i) {
        RowLoops<V>::finish_int8_row(in, row + i, sums + i * kBlockChannels);
      }
    }
  }

  template <int kRows, int kStrips>
  SIZEWISE_INLINE void int4_tile(const Int4Block& in,
                                 int64_t row,
                                 int64_t strip,
                                 const Int4Span& span,
                                 int32_t* to) {
    constexpr int kRegisters = kStrips * kPerStrip;
    typename V::Register sums[kRows][kRegisters];
    for (auto& of_row : sums) {
      for (auto& sum : of_row) {
        sum = V::zero();
      }
    }
    const int64_t steps = (span.count + kInt4StepColumns - 1) / kInt4StepColumns;
    const int64_t step_bytes = in.strips * kStripBytes;
    const uint8_t* nibbles =
        in.nibbles + span.first / kInt4StepColumns * step_bytes + strip * kStripBytes;
    const int8_t* codes = in.codes + row * in.code_stride + span.first;
    for (int64_t step = 0; step < steps; ++step, nibbles += step_bytes, codes += 8) {
      typename V::SignedCodes low[kRows];
      typename V::SignedCodes high[kRows];
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        low[i] = V::signed_codes(codes + i * in.code_stride);
        high[i] = V::signed_codes(codes + i * in.code_stride + 4);
      }
#pragma GCC unroll 8
      for (int i = 0; i < kRegisters; ++i) {
        const typename V::Nibbles both = V::nibbles(nibbles + i * kBytes);
        if (kRows == 1) {
          __builtin_prefetch(nibbles + kPrefetchBytes + i * kBytes);
        }
#pragma GCC unroll 8
        for (int k = 0; k < kRows; ++k) {
          sums[k][i] = V::dot_nibbles(sums[k][i], both, low[k], high[k]);
        }
      }
    }
    store<kRows, kRegisters>(sums, to + strip * kStripChannels);
  }

  template <int kRows>
  static void int4_tiles(const Int4Block& in, int64_t row, int64_t rows) {
    if constexpr (kRows > 1) {
      if (rows < kRows) {
        return int4_tiles<kRows - 1>(in, row, rows);
      }
    }
    constexpr int kAtOnce = V::strips_at_once(kRows);
    alignas(64) float totals[kRows * kBlockChannels] = {};
    alignas(64) int32_t sums[kRows * kBlockChannels] = {};
    for (int64_t span = 0; span < in.span_count; ++span) {
      int64_t strip = 0;
      for (; strip + kAtOnce <= in.strips; strip += kAtOnce) {
        int4_tile<kRows, kAtOnce>(in, row, strip, in.spans[span], sums);
      }
      for (; strip < in.strips; ++strip) {
        int4_tile<kRows, 1>(in, row, strip, in.spans[span], sums);
      }
      for (int i = 0; i < kRows; ++i) {
        const int64_t at = i * kBlockChannels;
        RowLoops<V>::add_int4_span(in, row + i, span, sums + at, totals + at);
      }
    }
    for (int i = 0; i < kRows; ++i) {
      RowLoops<V>::finish_int4_row(in, row + i, totals + i * kBlockChannels);
    }
  }

  /// Many rows: each span's nibbles become bytes once, and the rows take the product of
  /// bytes.
  static void int4_by_bytes(const Int4Block& in, int64_t first, int64_t rows) {
    alignas(64) int8_t bytes[kMostInt4Columns * kBlockChannels];
    alignas(64) float totals[kRowsByBytes * kBlockChannels] = {};
    alignas(64) int32_t sums[V::kMostRows * kBlockChannels] = {};
    for (int64_t span = 0; span < in.span_count; ++span) {
      Int8Sums tile = bytes_of_span(in, in.spans[span], bytes);
      tile.sums = sums;
      tile.code_stride = in.code_stride;
      const int64_t most = rows_of_tile(rows, V::kMostRows);
      for (int64_t row = 0; row < rows; row += most) {
        tile.rows = rows - row < most ? rows - row : most;
        tile.codes = reinterpret_cast<const uint8_t*>(in.codes) +
                     (first + row) * in.code_stride + in.spans[span].first;
        int8_tiles<true, V::kMostRows>(tile);
        for (int64_t i = 0; i < tile.rows; ++i) {
          RowLoops<V>::add_int4_span(in,
                                     first + row + i,
                                     span,
                                     sums + i * kBlockChannels,
                                     totals + (row + i) * kBlockChannels);
        }
      }
    }
    for (int64_t row = 0; row < rows; ++row) {
      RowLoops<V>::finish_int4_row(in, first + row, totals + row * kBlockChannels);
    }
  }

  static Int8Sums bytes_of_span(const Int4Block& in,
                                const Int4Span& span,
                                int8_t* bytes) {
    const int64_t steps = (span.count + kInt4StepColumns - 1) / kInt4StepColumns;
    const int64_t step_bytes = in.strips * kStripBytes;
    const uint8_t* nibbles = in.nibbles + span.first / kInt4StepColumns * step_bytes;
    for (int64_t step = 0; step < steps; ++step) {
      for (int64_t i = 0; i < step_bytes; i += kBytes) {
        int8_t* low = bytes + 2 * step * step_bytes + i;
        V::unpack(nibbles + step * step_bytes + i, low, low + step_bytes);
      }
    }
    Int8Sums tile{};
    tile.weights = bytes;
    tile.steps = 2 * steps;
    tile.strips = in.strips;
    return tile;
  }

  static void int4_block(const Int4Block& in) {
    if constexpr (V::kLeastRowsByBytes > 0) {
      if (in.rows >= V::kLeastRowsByBytes) {
        const int64_t most = rows_of_tile(in.rows, kRowsByBytes);
        for (int64_t row = 0; row < in.rows; row += most) {
          int4_by_bytes(in, row, in.rows - row < most ? in.rows - row : most);
        }
        return;
      }
    }
    const int64_t most = rows_of_tile(in.rows, V::kMostNibbleRows);
    for (int64_t row = 0; row < in.rows; row += most) {
      const int64_t rows = in.rows - row < most ? in.rows - row : most;
      int4_tiles<V::kMostNibbleRows>(in, row, rows);
    }
  }

  /// Tiles of nearly equal rows: 8 rows are 4 and 4 rather than 6 and 2.
  SIZEWISE_INLINE int64_t rows_of_tile(int64_t rows, int64_t most) {
    const int64_t tiles = (rows + most - 1) / most;
    return tiles == 0 ? 1 : (rows + tiles - 1) / tiles;
  }

  static constexpr LevelFunctions kFunctions{&int8_sums,
                                             &int8_block,
                                             &int4_block,
                                             &RowLoops<V>::key_range,
                                             &RowLoops<V>::encode,
                                             &RowLoops<V>::encode_split,
                                             &RowLoops<V>::code_sum,
                                             &RowLoops<V>::decode,
                                             &RowLoops<V>::decode_bf16};
};

}  // namespace sizewise::kernels

#undef SIZEWISE_INLINE

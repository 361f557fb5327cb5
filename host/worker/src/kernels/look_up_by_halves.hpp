#pragma once

#include <cstdint>

#include <immintrin.h>

// A table of 16 values of 16 bits, looked up by its low and by its high bytes: what both
// levels of 256 bits do. Always inlined, so that each level's file compiles its own, as
// level_loops.hpp explains.

namespace sizewise::kernels {

/// Values of the first codes, 0 to 15, by a table, 16 at a time. @return how many
[[gnu::always_inline]] static inline int64_t look_up_by_halves(const uint16_t* table,
                                                               const uint8_t* codes,
                                                               int64_t count,
                                                               uint16_t* out) {
  alignas(16) uint8_t halves[2][16];
  for (int code = 0; code < 16; ++code) {
    halves[0][code] = static_cast<uint8_t>(table[code]);
    halves[1][code] = static_cast<uint8_t>(table[code] >> 8);
  }
  const __m128i low = _mm_load_si128(reinterpret_cast<const __m128i*>(halves[0]));
  const __m128i high = _mm_load_si128(reinterpret_cast<const __m128i*>(halves[1]));
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i));
    const __m128i lower = _mm_shuffle_epi8(low, bytes);
    const __m128i upper = _mm_shuffle_epi8(high, bytes);
    auto* to = reinterpret_cast<__m128i*>(out + i);
    _mm_storeu_si128(to, _mm_unpacklo_epi8(lower, upper));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi8(lower, upper));
  }
  return i;
}

}  // namespace sizewise::kernels

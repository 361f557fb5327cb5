#include <immintrin.h>

#include "kernels/level_loops.hpp"
#include "kernels/look_up_by_halves.hpp"

namespace sizewise::kernels {
namespace {

/// 8 channels in 256 bits; vpdpbusd sums 4 products of u8 and s8 in 32 bits and does not
/// saturate.
struct AvxVnniVectors {
  static constexpr int kLanes = 8;
  static constexpr int kMostRows = 4;
  static constexpr int kMostNibbleRows = 4;
  static constexpr int kLeastRowsByBytes = 0;
  static constexpr int strips_at_once(int rows) { return rows == 1 ? 4 : 1; }

  using Register = __m256i;
  using Codes = __m256i;
  using SignedCodes = __m256i;
  using Weights = __m256i;
  struct Nibbles {
    __m256i low;
    __m256i high;
  };

  static Register zero() { return _mm256_setzero_si256(); }
  static Register load(const int32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void store(Register sums, int32_t* to) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), sums);
  }
  static Codes codes(const uint8_t* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
  }
  static SignedCodes signed_codes(const int8_t* from) {
    return codes(reinterpret_cast<const uint8_t*>(from));
  }
  static Weights weights(const int8_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static Nibbles nibbles(const uint8_t* from) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(bytes, mask),
            _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask)};
  }
  static Register dot_bytes(Register sums, __m256i unsigned_bytes, __m256i signed_bytes) {
#if defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(sums, unsigned_bytes, signed_bytes);
#else  // how a machine with AVX-512 alone tries this file
    return _mm256_dpbusd_epi32(sums, unsigned_bytes, signed_bytes);
#endif
  }
  static Register dot(Register sums, Codes codes, Weights weights) {
    return dot_bytes(sums, codes, weights);
  }
  static Register dot_nibbles(Register sums,
                              const Nibbles& nibbles,
                              SignedCodes low,
                              SignedCodes high) {
    return dot_bytes(dot_bytes(sums, nibbles.low, low), nibbles.high, high);
  }

  static int64_t look_up(const uint16_t* table,
                         const uint8_t* codes,
                         int64_t count,
                         uint16_t* out) {
    return look_up_by_halves(table, codes, count, out);
  }
};

}  // namespace

const LevelFunctions& avx_vnni_functions() {
  return LevelLoops<AvxVnniVectors>::kFunctions;
}

}  // namespace sizewise::kernels

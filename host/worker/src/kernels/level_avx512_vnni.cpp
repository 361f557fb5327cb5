#include <immintrin.h>

#include "kernels/level_loops.hpp"

namespace sizewise::kernels {
namespace {

/// 16 channels in 512 bits; vpdpbusd sums 4 products of u8 and s8 in 32 bits and does not
/// saturate.
struct Avx512VnniVectors {
  static constexpr int kLanes = 16;
  // 6 rows of 4 sums, 4 weights and a code are 29 of 32 registers.
  static constexpr int kMostRows = 6;
  static constexpr int kMostNibbleRows = 4;
  static constexpr int kLeastRowsByBytes = 24;
  static constexpr int strips_at_once(int) { return 4; }

  using Register = __m512i;
  using Codes = __m512i;
  using SignedCodes = __m512i;
  using Weights = __m512i;
  struct Nibbles {
    __m512i low;
    __m512i high;
  };

  static Register zero() { return _mm512_setzero_si512(); }
  static Register load(const int32_t* from) { return _mm512_loadu_si512(from); }
  static void store(Register sums, int32_t* to) { _mm512_storeu_si512(to, sums); }
  static Codes codes(const uint8_t* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static SignedCodes signed_codes(const int8_t* from) {
    return codes(reinterpret_cast<const uint8_t*>(from));
  }
  static Weights weights(const int8_t* from) { return _mm512_loadu_si512(from); }
  static Nibbles nibbles(const uint8_t* from) {
    const __m512i bytes = _mm512_loadu_si512(from);
    const __m512i mask = _mm512_set1_epi8(15);
    return {_mm512_and_si512(bytes, mask),
            _mm512_and_si512(_mm512_srli_epi16(bytes, 4), mask)};
  }
  static void unpack(const uint8_t* from, int8_t* low, int8_t* high) {
    const Nibbles both = nibbles(from);
    _mm512_storeu_si512(low, both.low);
    _mm512_storeu_si512(high, both.high);
  }
  static Register dot(Register sums, Codes codes, Weights weights) {
    return _mm512_dpbusd_epi32(sums, codes, weights);
  }
  static Register dot_signed(Register sums, Codes codes, Weights weights) {
    return _mm512_dpbusd_epi32(sums, weights, codes);
  }
  static Register dot_nibbles(Register sums,
                              const Nibbles& nibbles,
                              Codes low,
                              Codes high) {
    return _mm512_dpbusd_epi32(
        _mm512_dpbusd_epi32(sums, nibbles.low, low), nibbles.high, high);
  }

  /// Values of the first codes by a table; how many.
  static int64_t look_up(const uint16_t* table,
                         const uint8_t* codes,
                         int64_t count,
                         uint16_t* out) {
    // With a mask of all, because GCC 12 warns of its own header without one.
    const __m512i values = _mm512_maskz_broadcast_i64x4(
        255, _mm256_load_si256(reinterpret_cast<const __m256i*>(table)));
    int64_t i = 0;
    for (; i + 32 <= count; i += 32) {
      const __m256i bytes =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i));
      const __m512i places = _mm512_cvtepu8_epi16(bytes);
      _mm512_storeu_si512(out + i, _mm512_permutexvar_epi16(places, values));
    }
    return i;
  }
};

}  // namespace

const LevelFunctions& avx512_vnni_functions() {
  return LevelLoops<Avx512VnniVectors>::kFunctions;
}

}  // namespace sizewise::kernels

#include <immintrin.h>

#include "kernels/level_loops.hpp"
#include "kernels/look_up_by_halves.hpp"

namespace sizewise::kernels {
namespace {

/// 8 channels in 256 bits. The product of bytes, vpmaddubsw, saturates at 16 bits: 255 *
/// 127 * 2 does not fit. So int8 widens to 16 bits first, even and odd bytes apart; int4
/// may use it: 15 * 128 * 2 * 2 halves = 7680.
struct Avx2Vectors {
  static constexpr int kLanes = 8;
  static constexpr int kMostRows = 4;
  static constexpr int kMostNibbleRows = 4;
  static constexpr int kLeastRowsByBytes = 0;
  // 16 registers hold a row's sums of a whole block, or 4 rows' of a strip.
  static constexpr int strips_at_once(int rows) { return rows == 1 ? 4 : 1; }

  using Register = __m256i;
  using SignedCodes = __m256i;
  struct Codes {
    __m256i even;
    __m256i odd;
  };
  using Weights = Codes;
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
  static __m256i broadcast(const void* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
  }
  static Codes codes(const uint8_t* from) {
    const __m256i four = broadcast(from);
    return {_mm256_and_si256(four, _mm256_set1_epi16(255)), _mm256_srli_epi16(four, 8)};
  }
  static SignedCodes signed_codes(const int8_t* from) { return broadcast(from); }
  static Weights weights(const int8_t* from) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8),
            _mm256_srai_epi16(bytes, 8)};
  }
  static Nibbles nibbles(const uint8_t* from) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(bytes, mask),
            _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask)};
  }
  static Register dot(Register sums, const Codes& codes, const Weights& weights) {
    const __m256i even = _mm256_madd_epi16(codes.even, weights.even);
    const __m256i odd = _mm256_madd_epi16(codes.odd, weights.odd);
    return _mm256_add_epi32(sums, _mm256_add_epi32(even, odd));
  }
  static Register dot_nibbles(Register sums,
                              const Nibbles& nibbles,
                              SignedCodes low,
                              SignedCodes high) {
    const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(nibbles.low, low),
                                           _mm256_maddubs_epi16(nibbles.high, high));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }

  static int64_t look_up(const uint16_t* table,
                         const uint8_t* codes,
                         int64_t count,
                         uint16_t* out) {
    return look_up_by_halves(table, codes, count, out);
  }
};

}  // namespace

const LevelFunctions& avx2_functions() {
  return LevelLoops<Avx2Vectors>::kFunctions;
}

}  // namespace sizewise::kernels

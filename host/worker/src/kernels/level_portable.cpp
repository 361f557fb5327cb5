#include "kernels/level_loops.hpp"

namespace sizewise::kernels {
namespace {

/// Plain C++ over 16 channels.
struct PortableVectors {
  static constexpr int kLanes = 16;
  static constexpr int kMostRows = 4;
  static constexpr int kMostNibbleRows = 4;
  static constexpr int kLeastRowsByBytes = 0;
  static constexpr int strips_at_once(int) { return 1; }

  struct Register {
    int32_t lane[kLanes];
  };
  struct Codes {
    int32_t code[4];
  };
  using SignedCodes = Codes;
  struct Weights {
    const int8_t* bytes;
  };
  struct Nibbles {
    const uint8_t* bytes;
  };

  static Register zero() { return {}; }
  static Register load(const int32_t* from) {
    Register sums;
    std::memcpy(sums.lane, from, sizeof sums.lane);
    return sums;
  }
  static void store(const Register& sums, int32_t* to) {
    std::memcpy(to, sums.lane, sizeof sums.lane);
  }
  static Codes codes(const uint8_t* from) {
    return {{from[0], from[1], from[2], from[3]}};
  }
  static Codes signed_codes(const int8_t* from) {
    return {{from[0], from[1], from[2], from[3]}};
  }
  static Weights weights(const int8_t* from) { return {from}; }
  static Nibbles nibbles(const uint8_t* from) { return {from}; }

  static Register dot(Register sums, const Codes& codes, Weights weights) {
    for (int lane = 0; lane < kLanes; ++lane) {
      for (int k = 0; k < 4; ++k) {
        sums.lane[lane] += codes.code[k] * weights.bytes[4 * lane + k];
      }
    }
    return sums;
  }
  static Register dot_nibbles(Register sums,
                              Nibbles nibbles,
                              const Codes& low,
                              const Codes& high) {
    for (int lane = 0; lane < kLanes; ++lane) {
      for (int k = 0; k < 4; ++k) {
        const int32_t both = nibbles.bytes[4 * lane + k];
        sums.lane[lane] += low.code[k] * (both & 15) + high.code[k] * (both >> 4);
      }
    }
    return sums;
  }

  /// Values of the first codes by a table; how many.
  static int64_t look_up(const uint16_t*, const uint8_t*, int64_t, uint16_t*) {
    return 0;
  }
};

}  // namespace

const LevelFunctions& portable_functions() {
  return LevelLoops<PortableVectors>::kFunctions;
}

}  // namespace sizewise::kernels

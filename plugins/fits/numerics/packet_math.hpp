#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

// Several doubles at a time, as many as a machine's registers hold. Everything is inlined
// into a function that is compiled for one kind of machine, so nothing here is ever
// called.

#define SIZEWISE_INLINE [[gnu::always_inline]] inline

namespace sizewise::fits {

/// The compiler's vector types of so many doubles. (GCC 12 forgets an attribute that
/// depends on a template's parameter.)
template <std::size_t Width>
struct Lanes;
template <>
struct Lanes<2> {
  using Packet [[gnu::vector_size(16)]] = double;
  using Bits [[gnu::vector_size(16)]] = uint64_t;
};
template <>
struct Lanes<4> {
  using Packet [[gnu::vector_size(32)]] = double;
  using Bits [[gnu::vector_size(32)]] = uint64_t;
};
template <>
struct Lanes<8> {
  using Packet [[gnu::vector_size(64)]] = double;
  using Bits [[gnu::vector_size(64)]] = uint64_t;
};

template <std::size_t Width>
struct Packets {
  using Packet = typename Lanes<Width>::Packet;
  using Bits = typename Lanes<Width>::Bits;
  static constexpr std::size_t kWidth = Width;

  SIZEWISE_INLINE static void load(Packet& packet, const double* from) {
    std::memcpy(&packet, from, sizeof packet);
  }

  SIZEWISE_INLINE static void store(const Packet& packet, double* to) {
    std::memcpy(to, &packet, sizeof packet);
  }

  SIZEWISE_INLINE static double sum(const Packet& packet) {
    double total = 0.0;
    for (std::size_t i = 0; i < Width; ++i) {
      total += packet[i];
    }
    return total;
  }

  /// e^x to within 2 units in the last place, of x held to [-708, 709]. Cody and Waite's
  /// reduction, then the series to x^13.
  SIZEWISE_INLINE static void exponential(Packet& x) {
    constexpr double kPerLog2 = 1.4426950408889634;
    constexpr double kLog2High = 6.93147180369123816490e-01;
    constexpr double kLog2Low = 1.90821492927058770002e-10;
    constexpr double kRounding = 6755399441055744.0;  // 1.5 * 2^52: sums are integers
    x = x < -708.0 ? Packet{} - 708.0 : x;
    x = x > 709.0 ? Packet{} + 709.0 : x;
    const Packet shifted = x * kPerLog2 + kRounding;
    const Packet n = shifted - kRounding;
    const Packet r = (x - n * kLog2High) - n * kLog2Low;
    Packet p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = (p * r) * r + r;
    Bits power;
    std::memcpy(&power, &shifted, sizeof power);
    power = (power << 52) + (uint64_t{1023} << 52);
    Packet scale;
    std::memcpy(&scale, &power, sizeof scale);
    x = p * scale + scale;
  }

  /// ln x to within 1 unit in the last place, for normal x above 0; NaN where x is 0 or
  /// below, infinite or NaN. Source: fdlibm, e_log.c.
  SIZEWISE_INLINE static void logarithm(Packet& x) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto has_logarithm = (x > 0.0) & (x < kInfinity);
    constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcd;
    constexpr uint64_t kOne = 0x3ff0000000000000;
    constexpr double kLog2High = 6.93147180369123816490e-01;
    constexpr double kLog2Low = 1.90821492927058770002e-10;
    constexpr uint64_t kInteger = 0x4330000000000000;  // 2^52, its low bits an integer
    Bits bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits += kOne - kRootHalf;
    const Bits integer = (bits >> 52) | kInteger;
    const Bits mantissa = (bits & uint64_t{0x000fffffffffffff}) + kRootHalf;
    Packet k;
    std::memcpy(&k, &integer, sizeof k);
    k -= 4503599627370496.0 + 1023.0;
    Packet m;
    std::memcpy(&m, &mantissa, sizeof m);
    const Packet f = m - 1.0;
    const Packet s = f / (f + 2.0);
    const Packet z = s * s;
    Packet p = z * 1.479819860511658591e-01 + 1.531383769920937332e-01;
    p = p * z + 1.818357216161805012e-01;
    p = p * z + 2.222219843214978396e-01;
    p = p * z + 2.857142874366239149e-01;
    p = p * z + 3.999999999940941908e-01;
    p = p * z + 6.666666666666735130e-01;
    const Packet half = 0.5 * f * f;
    x = k * kLog2High - ((half - (s * (half + z * p) + k * kLog2Low)) - f);
    x = has_logarithm ? x : Packet{} + std::numeric_limits<double>::quiet_NaN();
  }
};

}  // namespace sizewise::fits

#include "code_loops.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace sizewise::quantizers {
namespace {

/// Adding and taking away 1.5 * 2^23 rounds a float below 2^22 to a whole number, half to
/// even, without a call.
constexpr float kRounding = 12582912.0F;

/// Values that one float sums before a double takes over.
constexpr int64_t kBlock = 4096;
constexpr int64_t kLanes = 16;

/// Floats as integers of the same order, NaN beyond the infinities: compilers vectorise
/// the least of integers, but not that of floats.
int32_t in_order(float value) {
  const auto bits = std::bit_cast<int32_t>(value);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

float from_order(int32_t order) {
  return std::bit_cast<float>(order ^ ((order >> 31) & 0x7fffffff));
}

/// What turns values into codes without their zero point, which is added last: it is
/// whole, so a clamp before the rounding is the same as one after it.
struct Rounding {
  float scale = 1.0F;
  float least = 0.0F;
  float most = 0.0F;

  Rounding(const CodeScale& by, const CodeLimits& limits)
      : scale(by.scale),
        least(limits.least - by.zero_point),
        most(limits.most - by.zero_point) {}

  [[nodiscard]] float steps_of(float value) const { return value / scale; }

  [[nodiscard]] float nearest(float steps) const {
    const float above = steps < least ? least : steps;
    const float within = above > most ? most : above;
    return (within + kRounding) - kRounding;
  }
};

/// The sum of squared errors in steps, of at most kBlock values.
double block_error(const float* values, int64_t count, const Rounding& rounding) {
  std::array<float, kLanes> sums{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const float steps = rounding.steps_of(values[i + lane]);
      const float error = rounding.nearest(steps) - steps;
      sums[static_cast<std::size_t>(lane)] += error * error;
    }
  }
  double total = 0.0;
  for (; i < count; ++i) {
    const float steps = rounding.steps_of(values[i]);
    const double error = rounding.nearest(steps) - steps;
    total += error * error;
  }
  for (const float sum : sums) {
    total += sum;
  }
  return total;
}

}  // namespace

CodeLimits code_limits(int bits) {
  const float half = std::exp2(static_cast<float>(bits - 1));
  return {-half, half - 1.0F};
}

ValueRange range_of(const float* values, int64_t count) {
  int32_t least = 0;
  int32_t most = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t order = in_order(values[i]);
    least = std::min(least, order);
    most = std::max(most, order);
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Adding 0 makes 0 of -0.
  return {from_order(least) + 0.0F,
          from_order(most),
          least > in_order(-kInfinity) && most < in_order(kInfinity)};
}

ValueRange joined(const ValueRange& one, const ValueRange& other) {
  return {std::min(one.low, other.low),
          std::max(one.high, other.high),
          one.is_finite && other.is_finite};
}

CodeScale scale_of(const ValueRange& range,
                   double share,
                   const CodeLimits& limits,
                   bool has_zero_point) {
  constexpr double kLeastScale = std::numeric_limits<float>::min();
  constexpr double kMostValue = std::numeric_limits<float>::max();
  const double low = share * range.low;
  const double high = share * range.high;
  if (low == high) {
    return {};
  }
  const double step = has_zero_point ? (high - low) / (limits.most - limits.least)
                                     : std::max(-low, high) / limits.most;
  CodeScale by;
  by.scale = static_cast<float>(std::max(step, kLeastScale));
  if (has_zero_point) {
    const double zero_point = std::nearbyint(limits.least - low / by.scale);
    by.zero_point =
        static_cast<float>(std::clamp<double>(zero_point, limits.least, limits.most));
  }
  // Ends near the largest float: what the codes decode to must be finite too.
  const double most_steps =
      std::max(by.zero_point - limits.least, limits.most - by.zero_point);
  if (most_steps * by.scale > kMostValue) {
    by.scale = std::nextafter(static_cast<float>(kMostValue / most_steps), 0.0F);
  }
  return by;
}

double squared_error(const float* values,
                     int64_t count,
                     const CodeScale& by,
                     const CodeLimits& limits) {
  const Rounding rounding(by, limits);
  double total = 0.0;
  for (int64_t start = 0; start < count; start += kBlock) {
    total += block_error(values + start, std::min(kBlock, count - start), rounding);
  }
  // In steps until here: squares of weights may be beyond a float.
  return total * by.scale * by.scale;
}

void encode(const float* values,
            int64_t count,
            const CodeScale& by,
            const CodeLimits& limits,
            int8_t* codes) {
  const Rounding rounding(by, limits);
  // Bytes may be part of anything, `by` too, as far as a compiler knows.
  const float zero_point = by.zero_point;
  for (int64_t i = 0; i < count; ++i) {
    const float code = rounding.nearest(rounding.steps_of(values[i])) + zero_point;
    codes[i] = static_cast<int8_t>(static_cast<int32_t>(code));
  }
}

}  // namespace sizewise::quantizers

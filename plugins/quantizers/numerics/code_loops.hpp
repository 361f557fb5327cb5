#pragma once

#include <cstdint>

// The inner loops of coding a weight, over floats that lie one after another. Plain C++
// that compilers vectorise; a sum is taken in one fixed order, so that results do not
// depend on the number of threads.

namespace sizewise::quantizers {

/// The codes that a number of bits has: -128 to 127, say.
struct CodeLimits {
  float least = -128.0F;
  float most = 127.0F;
};

/// @param bits 2 to 8
[[nodiscard]] CodeLimits code_limits(int bits);

/// value ~ (code - zero_point) * scale.
struct CodeScale {
  float scale = 1.0F;       ///< a normal number above 0
  float zero_point = 0.0F;  ///< a code; 0 where codes are symmetric
};

/// The least and greatest of some values and 0.
struct ValueRange {
  float low = 0.0F;
  float high = 0.0F;
  bool is_finite = true;  ///< false: some value is NaN or infinite; low, high say nothing
};

/// [any thread]
[[nodiscard]] ValueRange range_of(const float* values, int64_t count);

/// The range of two lots of values together.
[[nodiscard]] ValueRange joined(const ValueRange& one, const ValueRange& other);

/// The scale and zero point with which codes span a range that holds 0; a share below 1
/// of it cuts its ends off. A range of nothing but 0 has scale 1, and a scale is never
/// less than the least normal float. Source: Nagel et al. 2021 (arXiv 2106.08295),
/// equations 4, 7 and 8.
[[nodiscard]] CodeScale scale_of(const ValueRange& range,
                                 double share,
                                 const CodeLimits& limits,
                                 bool has_zero_point);

/// The sum of (decoded - value)^2. [any thread]
[[nodiscard]] double squared_error(const float* values,
                                   int64_t count,
                                   const CodeScale& by,
                                   const CodeLimits& limits);

/// The nearest code of each value, half to even, within the limits. [any thread]
void encode(const float* values,
            int64_t count,
            const CodeScale& by,
            const CodeLimits& limits,
            int8_t* codes);

}  // namespace sizewise::quantizers

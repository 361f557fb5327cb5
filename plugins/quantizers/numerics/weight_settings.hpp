#pragma once

#include <cstdint>

#include "sizewise/options.hpp"
#include "sizewise/quantizer.hpp"

namespace sizewise::quantizers {

/// Which zero point codes have; kAuto decides for each layer.
enum class SchemeChoice { kSymmetric, kAsymmetric, kAuto };

/// The floating-point type of bits 16.
enum class HalfType { kBfloat16, kFloat16 };

/// How a weight is coded.
struct WeightSettings {
  int bits = 8;  ///< 8 or 4; 16 keeps floating-point numbers of that width
  SchemeChoice scheme = SchemeChoice::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 128;                  ///< of granularity kGroup; a multiple of 16
  bool clips = false;                        ///< choose the range of least squared error
  HalfType half_type = HalfType::kBfloat16;  ///< of bits 16
};

/// The options `bits`, `scheme`, `granularity`, `group_size`, `clip` and `half_type`, as
/// the host resolved them. `group_size` and `half_type` have no default in a manifest, so
/// they are there where a user set them.
/// @throws Error kConfiguration where they contradict each other, with what is allowed
[[nodiscard]] WeightSettings weight_settings(const Options& options);

}  // namespace sizewise::quantizers

#pragma once

#include <cstdint>
#include <vector>

#include "kernels/activation_codes.hpp"
#include "kernels/int4_product.hpp"
#include "kernels/int8_product.hpp"

// Products as their formulas say, in int64 and double: what the self-test and the tests
// hold the fast ones against.

namespace sizewise::kernels {

/// A layer with weights of 8 bits, not packed.
struct Int8Layer {
  int64_t channels = 0;
  int64_t columns = 0;
  std::vector<int8_t> codes{};        ///< [channels, columns]
  std::vector<float> scale{};         ///< [channels]
  std::vector<int32_t> zero_point{};  ///< [channels], or none
  std::vector<float> bias{};          ///< [channels], or none

  [[nodiscard]] Int8Weights packed() const {
    return {codes, channels, columns, scale, zero_point};
  }
  [[nodiscard]] const float* bias_or_null() const {
    return bias.empty() ? nullptr : bias.data();
  }
};

/// A layer with weights of 4 bits, not packed.
struct Int4Layer {
  int64_t channels = 0;
  int64_t columns = 0;
  int64_t group_size = 0;
  std::vector<uint8_t> codes{};       ///< [channels, columns]
  std::vector<float> scale{};         ///< [channels, groups]
  std::vector<uint8_t> zero_point{};  ///< [channels, groups], or none: 8
  std::vector<float> bias{};          ///< [channels], or none

  [[nodiscard]] Int4Weights packed() const {
    return {codes, channels, columns, group_size, scale, zero_point};
  }
  [[nodiscard]] const float* bias_or_null() const {
    return bias.empty() ? nullptr : bias.data();
  }
};

/// [x.rows, layer.channels].
[[nodiscard]] std::vector<double> reference_product(const Int8Layer& layer,
                                                    const CodedRows& x);
[[nodiscard]] std::vector<double> reference_product(const Int4Layer& layer,
                                                    const CodedRows& x);

/// Largest |out - reference| over largest |reference|, over 1 where that is 0; NaN counts
/// as infinite.
[[nodiscard]] double relative_error(const std::vector<float>& out,
                                    const std::vector<double>& reference);

}  // namespace sizewise::kernels

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sizewise/quantizer.hpp"

#include "kernels/activation_codes.hpp"
#include "kernels/channel_range.hpp"

namespace sizewise::quantizing {

/// Integer weights as their products read them. [any thread]
class PackedWeights {
 public:
  PackedWeights() = default;
  virtual ~PackedWeights() = default;
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  /// Multiplies coded rows with all channels, on LibTorch's threads. Whatever computes
  /// it, the bits are those of kernels::multiply(): sums of codes are exact integers,
  /// rounded to float once.
  /// @param x with sums where weights may have zero points
  /// @param bias [channels] or null
  /// @param out [x.rows, channels]
  virtual void multiply(const kernels::CodedRows& x,
                        const float* bias,
                        float* out) const = 0;

  /// Weights of channels first..last - 1 (any) as floats, by rows, without gaps.
  virtual void decode(kernels::ChannelRange range, float* out) const = 0;

  /// What runs, such as "int8 avx512_vnni".
  [[nodiscard]] virtual std::string route() const = 0;

  /// Bytes of memory held.
  [[nodiscard]] virtual int64_t bytes() const = 0;
};

/// Packs the weights of a layer {N, K}: codes of up to 4 bits as nibbles where their
/// groups allow it (multiples of 16, or whole rows), others as bytes.
/// @param numbers checked by check_numbers(), of 8 bits or less
/// @throws Error kQuantization for more inputs than 32-bit sums allow
[[nodiscard]] std::unique_ptr<const PackedWeights> pack_weights(
    const QuantizedLayer& numbers);

}  // namespace sizewise::quantizing

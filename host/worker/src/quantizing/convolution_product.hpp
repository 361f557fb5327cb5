#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "quantizing/quantized_weight.hpp"
#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing {

/// A convolution with integer weights. [any thread]
class ConvolutionProduct {
 public:
  virtual ~ConvolutionProduct() = default;

  /// Codes the input as `weight.numbers.activation` says and convolves it.
  /// @param input {batch, channels, spatial dimensions...}, float32, any layout, any of
  ///   them may be 0
  /// @param bias {outputs} float32, or nothing
  /// @returns float32, as at::convolution() would shape it
  /// @throws Error kQuantization naming the layer where the input is not finite
  [[nodiscard]] virtual at::Tensor run(const at::Tensor& input,
                                       const std::optional<at::Tensor>& bias,
                                       const ConvolutionGeometry& geometry) = 0;

  /// What runs, such as "int8 onednn" or "int8 avx2 by columns".
  [[nodiscard]] virtual std::string route() const = 0;
  [[nodiscard]] virtual int64_t bytes() const = 0;
};

/// @param weight of use kConvolution or kTransposedConvolution, bits 8 or 4
/// @throws Error kQuantization naming the layer where no kernel runs it, with what would
///   work
[[nodiscard]] std::unique_ptr<ConvolutionProduct> make_convolution(
    const QuantizedWeight& weight);

}  // namespace sizewise::quantizing

#pragma once

#include <cstdint>
#include <memory>

#include "quantizing/convolution_product.hpp"

namespace sizewise::quantizing {

/// By which products a convolution runs. Both give sums that are exact.
enum class ConvolutionRoute {
  kColumns,  ///< our own, see convolution_columns.hpp: any convolution
  kOnednn,   ///< onednn::qconv_pointwise: where can_run_onednn()
};

/// Whether oneDNN computes what this weight means, and is exact in this process: one
/// scale in a row, no zero points, one input scale for the batch, not transposed, and no
/// more inputs than its sums of 32 bits hold.
[[nodiscard]] bool can_run_onednn(const QuantizedWeight& weight);

/// The faster route of those that can run: oneDNN's where it has tiles of bytes, and for
/// depthwise convolutions, which are no product of matrices.
[[nodiscard]] ConvolutionRoute choose_route(const QuantizedWeight& weight,
                                            int64_t groups);

/// make_convolution() by a given route.
/// @throws Error kQuantization naming the layer where the route cannot run
[[nodiscard]] std::unique_ptr<ConvolutionProduct> make_convolution(
    const QuantizedWeight& weight, ConvolutionRoute route);

}  // namespace sizewise::quantizing

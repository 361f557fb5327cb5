#pragma once

#include <ATen/core/Tensor.h>

#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing {

/// What a convolution multiplies the rows of its flattened weight by: the values under
/// the kernel at every place of the output, zeros where it reaches over the edge.
/// @param input {batch, channels, spatial dimensions...}
/// @param kernel the weight's spatial dimensions
/// @param geometry of no transposed convolution
/// @returns {batch * groups * places, channels / groups * numbers in the kernel}
[[nodiscard]] at::Tensor input_windows(const at::Tensor& input,
                                       at::IntArrayRef kernel,
                                       const ConvolutionGeometry& geometry);

}  // namespace sizewise::quantizing

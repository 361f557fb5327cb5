#pragma once

#include <functional>

#include <ATen/core/Tensor.h>

namespace sizewise::quantizing {

/// The gradient of an input, given that of the output.
using InputGradient = std::function<at::Tensor(const at::Tensor& output_gradient)>;

/// An output that was computed without gradients, with the same bits, as a function of
/// its input whose gradient is another's: what a quantized layer does where its input
/// requires a gradient, which is then the decoded weight's ("straight through").
/// @param input requires a gradient
/// @param gradient runs in the backward pass only
[[nodiscard]] at::Tensor straight_through(const at::Tensor& output,
                                          const at::Tensor& input,
                                          InputGradient gradient);

}  // namespace sizewise::quantizing

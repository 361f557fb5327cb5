#pragma once

#include <ATen/core/Tensor.h>

namespace sizewise::quantizing {

/// The type that LibTorch's own operator would return for an input: its own, or under
/// autocast the lower one.
[[nodiscard]] at::ScalarType result_type(const at::Tensor& input);

}  // namespace sizewise::quantizing

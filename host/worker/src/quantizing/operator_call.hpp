#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/stack.h>

namespace sizewise::quantizing {

/// Calls an operator of LibTorch by its name, such as "onednn::qlinear_prepack": the C++
/// signatures of these differ between LibTorch's versions. @return its first result
/// @throws Error kInternal where this LibTorch has no such operator
[[nodiscard]] at::Tensor call_operator(const char* name, torch::jit::Stack arguments);

}  // namespace sizewise::quantizing

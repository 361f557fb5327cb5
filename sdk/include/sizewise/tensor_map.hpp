#pragma once

#include <map>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace sizewise {

/// Tensors by name: a batch (`input`, `target`, ...) or a model's outputs (`output`,
/// ...).
using TensorMap = std::map<std::string, at::Tensor, std::less<>>;

/// The tensor of that name. @throws Error kPlugin naming those that there are
[[nodiscard]] const at::Tensor& tensor_at(const TensorMap& tensors,
                                          std::string_view name);

}  // namespace sizewise

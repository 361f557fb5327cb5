#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <ATen/core/Tensor.h>

#include "checkpoint/weight_file.hpp"

// Between the types of files and those of LibTorch.

namespace sizewise::checkpoint {

[[nodiscard]] at::ScalarType scalar_type(WeightType type) noexcept;

/// Nothing for a type that a safetensors file cannot hold.
[[nodiscard]] std::optional<WeightType> weight_type(at::ScalarType type) noexcept;

/// The bytes of a contiguous tensor on the CPU.
[[nodiscard]] std::span<const std::byte> bytes_of(const at::Tensor& tensor);

/// One tensor of a file. @throws Error as WeightFile::read()
[[nodiscard]] at::Tensor read_tensor(WeightFile& file, std::size_t index);

}  // namespace sizewise::checkpoint

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sizewise::checkpoint {

/// The types of the elements of weights that are read, by their names in safetensors.
enum class WeightType : uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU8,
  kBool,    ///< a byte an element, 0 or 1
  kF8E4M3,  ///< torch.float8_e4m3fn
  kF8E5M2,  ///< torch.float8_e5m2
};

/// The name in safetensors, such as "F32". [any thread]
[[nodiscard]] std::string_view to_string(WeightType type) noexcept;

/// The type of a name in safetensors; nothing for a type that is not read. [any thread]
[[nodiscard]] std::optional<WeightType> weight_type(std::string_view name) noexcept;

/// The type of a torch.dtype, such as "float32"; nothing for one that is not read.
/// [any thread]
[[nodiscard]] std::optional<WeightType> weight_type_of_dtype(
    std::string_view dtype) noexcept;

/// The type of a class of storages in Python's torch, such as "FloatStorage"; nothing for
/// one that is not read. [any thread]
[[nodiscard]] std::optional<WeightType> weight_type_of_storage(
    std::string_view storage) noexcept;

/// The bytes of one element. [any thread]
[[nodiscard]] uint64_t element_bytes(WeightType type) noexcept;

/// The names in safetensors, "F64, F32, ...", for messages.
[[nodiscard]] std::string weight_type_names();

}  // namespace sizewise::checkpoint

#include "checkpoint/tensor_type.hpp"

#include <algorithm>
#include <array>

#include <ATen/ops/empty.h>

namespace sizewise::checkpoint {
namespace {

/// In the order of WeightType's enumerators.
constexpr std::array<at::ScalarType, 12> kScalarTypes = {at::kDouble,
                                                         at::kFloat,
                                                         at::kHalf,
                                                         at::kBFloat16,
                                                         at::kLong,
                                                         at::kInt,
                                                         at::kShort,
                                                         at::kChar,
                                                         at::kByte,
                                                         at::kBool,
                                                         at::kFloat8_e4m3fn,
                                                         at::kFloat8_e5m2};

}  // namespace

at::ScalarType scalar_type(WeightType type) noexcept {
  return kScalarTypes[static_cast<std::size_t>(type)];
}

std::optional<WeightType> weight_type(at::ScalarType type) noexcept {
  const auto* const found = std::find(kScalarTypes.begin(), kScalarTypes.end(), type);
  if (found == kScalarTypes.end()) {
    return std::nullopt;
  }
  return static_cast<WeightType>(found - kScalarTypes.begin());
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

at::Tensor read_tensor(WeightFile& file, std::size_t index) {
  const WeightTensor& facts = file.tensors()[index];
  at::Tensor tensor = at::empty(facts.shape, scalar_type(facts.type));
  file.read(index,
            {static_cast<std::byte*>(tensor.mutable_data_ptr()),
             static_cast<std::size_t>(facts.bytes)});
  return tensor;
}

}  // namespace sizewise::checkpoint

#include "checkpoint/weight_type.hpp"

#include <algorithm>
#include <array>

namespace sizewise::checkpoint {
namespace {

struct TypeFacts {
  WeightType type;
  uint64_t bytes;
  std::string_view name;
  std::string_view dtype;
  std::string_view storage;  ///< empty where Python's torch has no such class
};

/// In the order of the enumerators.
constexpr std::array<TypeFacts, 12> kTypeFacts = {{
    {WeightType::kF64, 8, "F64", "float64", "DoubleStorage"},
    {WeightType::kF32, 4, "F32", "float32", "FloatStorage"},
    {WeightType::kF16, 2, "F16", "float16", "HalfStorage"},
    {WeightType::kBF16, 2, "BF16", "bfloat16", "BFloat16Storage"},
    {WeightType::kI64, 8, "I64", "int64", "LongStorage"},
    {WeightType::kI32, 4, "I32", "int32", "IntStorage"},
    {WeightType::kI16, 2, "I16", "int16", "ShortStorage"},
    {WeightType::kI8, 1, "I8", "int8", "CharStorage"},
    {WeightType::kU8, 1, "U8", "uint8", "ByteStorage"},
    {WeightType::kBool, 1, "BOOL", "bool", "BoolStorage"},
    {WeightType::kF8E4M3, 1, "F8_E4M3", "float8_e4m3fn", ""},
    {WeightType::kF8E5M2, 1, "F8_E5M2", "float8_e5m2", ""},
}};

std::optional<WeightType> type_where(std::string_view TypeFacts::* field,
                                     std::string_view name) noexcept {
  const auto* found =
      std::find_if(kTypeFacts.begin(), kTypeFacts.end(), [&](const TypeFacts& facts) {
        return !name.empty() && facts.*field == name;
      });
  return found == kTypeFacts.end() ? std::nullopt : std::optional(found->type);
}

const TypeFacts& facts_of(WeightType type) noexcept {
  return kTypeFacts[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view to_string(WeightType type) noexcept {
  return facts_of(type).name;
}

std::optional<WeightType> weight_type(std::string_view name) noexcept {
  return type_where(&TypeFacts::name, name);
}

std::optional<WeightType> weight_type_of_dtype(std::string_view dtype) noexcept {
  return type_where(&TypeFacts::dtype, dtype);
}

std::optional<WeightType> weight_type_of_storage(std::string_view storage) noexcept {
  return type_where(&TypeFacts::storage, storage);
}

uint64_t element_bytes(WeightType type) noexcept {
  return facts_of(type).bytes;
}

std::string weight_type_names() {
  std::string names;
  for (const TypeFacts& facts : kTypeFacts) {
    names += (names.empty() ? "" : ", ") + std::string(facts.name);
  }
  return names;
}

}  // namespace sizewise::checkpoint

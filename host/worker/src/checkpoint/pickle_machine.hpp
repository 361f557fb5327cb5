#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/weight_type.hpp"

// A machine for the pickles of torch.save(), which runs nothing: a pickle names the
// functions that Python would call, and this one knows what the few of a state dict would
// make. Source: CPython, Lib/pickletools.py (the opcodes); PyTorch, torch/_utils.py and
// torch/serialization.py (what the functions and the persistent ids mean).

namespace sizewise::checkpoint {

/// The longest pickle that is read, in bytes; the tensors' bytes stand outside of it.
inline constexpr uint64_t kLongestPickleBytes = 64ULL << 20U;

/// The most values that a pickle may make or repeat: some 100,000 tensors.
inline constexpr uint64_t kMostPickledValues = 4'000'000;

/// The most dimensions of a tensor.
inline constexpr std::size_t kMostDimensions = 64;

/// What the refusals of this folder suggest.
inline constexpr const char* kSaveTensorsAlone =
    "save the tensors alone, in Python: torch.save(model.state_dict(), FILE), or write a "
    "safetensors file";

using PickledIndex = uint32_t;

/// A value on the machine's stack. Its texts look into the pickle, and it names other
/// values by their places: a pickle may hold cycles.
struct PickledValue {
  enum class Kind : uint8_t {
    kNone,
    kBool,
    kInt,
    kOtherNumber,  ///< a float, or an integer of more than 64 bits
    kText,
    kTuple,
    kList,
    kDict,
    kGlobal,   ///< a function or class, by its name
    kStorage,  ///< number is its place in PickledData::storages
    kTensor,   ///< number is its place in PickledData::tensors
  };
  Kind kind = Kind::kNone;
  bool ordered = false;  ///< of a dictionary: it is a collections.OrderedDict
  int64_t number = 0;
  std::string_view text;
  std::vector<PickledIndex> items;  ///< of a dictionary: key, value, key, value, ...
};

/// The name of a kind for messages, such as "dict".
[[nodiscard]] std::string_view to_string(PickledValue::Kind kind) noexcept;

/// The bytes that tensors look into.
struct PickledStorage {
  std::string_view key;            ///< its entry in the archive is data/KEY
  std::optional<WeightType> type;  ///< nothing: untyped
  uint64_t bytes = 0;
};

/// A tensor whose every element lies inside its storage.
struct PickledTensor {
  std::size_t storage = 0;
  WeightType type = WeightType::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  ///< in elements, none negative
  uint64_t first = 0;            ///< in elements; 0 where the tensor has none
};

/// What a pickle makes; valid as long as the pickle's bytes.
struct PickledData {
  std::deque<PickledValue> values;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;
  PickledIndex top = 0;
};

/// Reads the pickle of a state dict; uses memory linear in it, and never recurses.
/// @param file what messages call the file
/// @throws Error kInput naming the file, the opcode or the global, and the byte where the
///   pickle is cut short, is no pickle of protocol 2 to 5, is larger than the limits
///   above, or holds what no dictionary of tensors needs
[[nodiscard]] PickledData run_pickle(std::string_view pickle, const std::string& file);

}  // namespace sizewise::checkpoint

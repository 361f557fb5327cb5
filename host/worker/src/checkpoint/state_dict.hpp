#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/weight_type.hpp"

namespace sizewise::checkpoint {

/// A tensor of a state dict: where its elements lie in a storage. Tied tensors share one.
struct StateDictTensor {
  std::string name;
  WeightType type = WeightType::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  ///< in elements, as many as sizes, none negative
  uint64_t first = 0;            ///< in elements, from the storage's begin
  std::string storage;           ///< its entry in the archive is data/STORAGE
  uint64_t storage_bytes = 0;
};

/// A value that stands beside tensors and is none.
struct SkippedValue {
  std::string name;
  std::string kind;  ///< such as "int"
};

/// The tensors of a state dict, in its order.
struct StateDict {
  std::string under;  ///< the key of the dictionary that holds them; empty: the outermost
  std::vector<StateDictTensor> tensors;
  std::vector<SkippedValue> skipped;
};

/// Reads data.pkl of a file that torch.save() wrote from a dictionary of tensors. The
/// tensors stand in the outermost dictionary or, where that has none, in the only one of
/// its values that is a dictionary with tensors ("state_dict", "model" or whatever its
/// key is). Every element of every tensor lies inside its storage.
/// @param file what messages call the file
/// @throws Error kInput as run_pickle() does; where there is no such dictionary or more
///   than one; where a name is no text, stands twice, or is not UTF-8; and where a list,
///   tuple or dictionary of tensors stands beside tensors
[[nodiscard]] StateDict read_state_dict(std::string_view pickle, const std::string& file);

}  // namespace sizewise::checkpoint

#include <algorithm>
#include <set>

#include "checkpoint/state_dict.hpp"
#include "fuzz.hpp"

namespace {

using sizewise::checkpoint::StateDictTensor;
using sizewise::fuzzing::require;

/// Not as the reader does it: the bytes between the first element and the end of the last
/// are what remains of the storage, dimension by dimension.
void require_inside(const StateDictTensor& tensor) {
  if (std::count(tensor.shape.begin(), tensor.shape.end(), 0) > 0) {
    return;
  }
  const uint64_t held = tensor.storage_bytes / element_bytes(tensor.type);
  require(tensor.first < held, "the first element lies in the storage");
  uint64_t left = held - tensor.first - 1;
  uint64_t room = held;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto steps = static_cast<uint64_t>(tensor.shape[i] - 1);
    const auto stride = static_cast<uint64_t>(tensor.strides[i]);
    require(steps == 0 || stride <= left / steps, "every element lies in the storage");
    left -= steps * stride;
    room /= steps + 1;
    require(room > 0, "no tensor has more elements than its storage");
  }
}

}  // namespace

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  const checkpoint::StateDict dict = checkpoint::read_state_dict(input, "fuzzed.pt");
  require(!dict.tensors.empty(), "a state dict that was accepted has tensors");
  std::set<std::string_view> names;
  for (const StateDictTensor& tensor : dict.tensors) {
    require(names.insert(tensor.name).second, "no name stands twice");
    require(tensor.shape.size() == tensor.strides.size(), "a stride a size");
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      require(tensor.shape[i] >= 0 && tensor.strides[i] >= 0, "nothing is negative");
    }
    require_inside(tensor);
  }
}

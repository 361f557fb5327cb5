#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/pickle_machine.hpp"

// What the functions and classes that a state dict's pickle names would make.

namespace sizewise::checkpoint {

/// Why a pickle is refused; run_pickle() makes an Error of it that says where.
struct PickleFault {
  std::string what;
  const char* suggestion = kSaveTensorsAlone;
};

/// A text of a pickle as a message may show it: short, and without control characters.
[[nodiscard]] std::string shown_text(std::string_view text);

/// The functions and classes that a pickle may name: these and no other.
enum class PickledGlobal : uint8_t {
  kOrderedDict,     ///< collections.OrderedDict
  kTensor,          ///< torch._utils._rebuild_tensor_v2
  kTensorOfDtype,   ///< torch._utils._rebuild_tensor_v3
  kParameter,       ///< torch._utils._rebuild_parameter
  kTypedStorage,    ///< torch.FloatStorage and its like
  kUntypedStorage,  ///< torch.storage.UntypedStorage
  kDtype,           ///< torch.float8_e4m3fn and its like
};

/// The value of a function or class.
/// @param first whether the pickle begins with it, so that all it holds is one such
/// object
/// @throws PickleFault naming it where it is none that may be named
[[nodiscard]] PickledValue pickled_global(std::string_view module,
                                          std::string_view name,
                                          bool first);

/// The storage of a persistent id: ('storage', type, key, location, count of elements).
/// @throws PickleFault where it is none
[[nodiscard]] PickledStorage pickled_storage(const PickledData& data,
                                             const PickledValue& id);

/// The tensor that _rebuild_tensor_v2 or (of_dtype) _rebuild_tensor_v3 makes of
/// arguments.
/// @throws PickleFault where they are no such arguments, or an element would lie outside
/// of
///   the storage, or two would be one (so that no tensor is larger than its storage)
[[nodiscard]] PickledTensor pickled_tensor(const PickledData& data,
                                           const std::vector<PickledIndex>& arguments,
                                           bool of_dtype);

}  // namespace sizewise::checkpoint

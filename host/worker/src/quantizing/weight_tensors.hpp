#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "quantizing/quantized_weight.hpp"
#include "quantizing/stored_weight.hpp"

// Between a quantized weight and the tensors that hold it in a file.

namespace sizewise::quantizing {

/// A weight as files hold it.
struct EncodedWeight {
  StoredWeight stored;
  std::vector<std::pair<std::string, at::Tensor>> tensors;  ///< contiguous, on the CPU
};

/// @throws Error kQuantization naming the layer where the numbers are none that a kernel
///   can run: see check_numbers()
[[nodiscard]] EncodedWeight encoded(const QuantizedWeight& weight);

/// Undoes encoded(), bit by bit.
/// @param tensors those of stored_tensors(stored), in their order, of their types and
///   shapes
/// @throws Error kInput naming the tensor where its values are not allowed
[[nodiscard]] QuantizedWeight decoded_weight(const StoredWeight& stored,
                                             const std::vector<at::Tensor>& tensors);

}  // namespace sizewise::quantizing

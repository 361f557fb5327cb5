#pragma once

#include <cstdint>

#include "sizewise/dataset_info.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise::contract {

/// A batch as a dataset of this description would give it, with made-up values: to try a
/// model without its data. @throws Error kInput where a type is not "float32" or "int64"
[[nodiscard]] TensorMap made_up_batch(const DatasetInfo& data,
                                      int64_t samples,
                                      uint64_t seed);

}  // namespace sizewise::contract

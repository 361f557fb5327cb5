#pragma once

#include <ATen/core/Tensor.h>

#include "sizewise/quantizer.hpp"

namespace sizewise::quantizing {

/// 10 log10(sum w^2 / sum (w - decoded)^2) in dB, without the decoded matrix in memory.
/// Infinite where nothing is lost, also of a weight of zeros.
/// @param weight {N, K}, contiguous float32
/// @param numbers of it, as check_numbers() allows them
[[nodiscard]] double weight_sqnr_db(const at::Tensor& weight,
                                    const QuantizedLayer& numbers);

}  // namespace sizewise::quantizing

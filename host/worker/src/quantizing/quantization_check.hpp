#pragma once

#include "sizewise/quantize.hpp"

#include "quantizing/quantized_model.hpp"

namespace sizewise::quantizing {

/// Compares a quantized model with its float one on the inputs that made it; both are
/// left as they are. `passed` is not set.
/// @param infos of the layers, in the order of `made.weights`
[[nodiscard]] QuantizationCheck check_quantized(
    const QuantizedModel& made,
    const std::vector<QuantizedLayerInfo>& infos,
    const LossOfOutput& loss);

}  // namespace sizewise::quantizing

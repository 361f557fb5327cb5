#pragma once

#include "sizewise/quantizer.hpp"

#include "weight_settings.hpp"

// How a weight becomes codes and scales: what the shipped quantizers share.

namespace sizewise::quantizers {

/// Codes of one layer: the nearest, half to even, within the range of the bits. A channel
/// (or group) of zeros has scale 1; a scale is never less than the least normal float.
/// Takes the memory of what it returns and 28 bytes a scale (auto: 44). Results do not
/// depend on the number of threads. [any thread]
/// @throws Error kQuantization naming the layer where its weight is not finite, is beyond
/// the range of 16 bits, or the group size does not divide its inputs, with what would
/// work
[[nodiscard]] QuantizedLayer quantize_weight(const LayerView& layer,
                                             const WeightSettings& settings);

}  // namespace sizewise::quantizers

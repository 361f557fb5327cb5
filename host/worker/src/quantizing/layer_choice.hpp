#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sizewise/quantize.hpp"

#include "quantizing/layer_probe.hpp"
#include "quantizing/name_pattern.hpp"

namespace sizewise::quantizing {

/// A layer that is to be quantized.
struct ChosenLayer {
  const Layer* layer = nullptr;
  std::string name;         ///< for people: "fc1"
  std::string stored_name;  ///< where its numbers stand in a file: "fc1.weight"
  WeightUse use = WeightUse::kLinear;
  LayerKind kind = LayerKind::kLinear;
  /// The weight is also an embedding, which stays float.
  bool keeps_float = false;
};

/// Which layers are quantized, and why the others are not.
struct LayerChoice {
  std::vector<ChosenLayer> chosen;
  std::vector<SkippedLayer> skipped;
  std::vector<std::string> warnings;
};

/// Chooses layers. Those that cannot run quantized are skipped with the probe's reason,
/// those of few weights and depthwise convolutions unless a pattern of `include` names
/// them. Of a weight that is
/// both an embedding's and a linear layer's, the embedding stays float unless a pattern
/// of `include` names the weight.
/// @param layers borrowed by the result
[[nodiscard]] LayerChoice choose_layers(const std::vector<Layer>& layers,
                                        const NamePatterns& patterns);

/// Why a weight of this name and shape is not to be quantized, by patterns, size and
/// shape; nothing where it is.
[[nodiscard]] std::optional<std::string> reason_to_skip(
    const std::vector<std::string>& names,
    const std::vector<int64_t>& shape,
    const NamePatterns& patterns);

/// What a layer of such a use is called; `dimensions` of its weight.
[[nodiscard]] LayerKind layer_kind(WeightUse use, std::size_t dimensions);

}  // namespace sizewise::quantizing

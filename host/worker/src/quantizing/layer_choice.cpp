#include "quantizing/layer_choice.hpp"

#include <functional>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "quantizing/parameter_name.hpp"

namespace sizewise::quantizing {
namespace {

/// Below so many weights a layer's scales and its calls cost what its codes save.
constexpr int64_t kFewestWeights = 256;

/// The names by which a pattern may call a layer.
std::vector<std::string> callable_names(const std::vector<std::string>& weight_names) {
  std::vector<std::string> names;
  for (const std::string& name : weight_names) {
    names.push_back(layer_name(name));
    if (names.back() != name) {
      names.push_back(name);
    }
  }
  return names;
}

/// The one use that a layer makes of its weight, beside an embedding's; nothing where it
/// makes several.
std::optional<WeightUse> single_use(const Layer& layer) {
  std::optional<WeightUse> single;
  for (const auto& [use, count] : layer.uses) {
    if (use == WeightUse::kEmbedding && layer.uses.contains(WeightUse::kLinear)) {
      continue;
    }
    if (single) {
      return std::nullopt;
    }
    single = use;
  }
  return single;
}

/// Where the codes of a linear layer stand whose weight stays in the file as an
/// embedding.
std::string name_beside_embedding(const Layer& layer) {
  if (layer.names.size() > 1) {
    const bool first_is_embedding =
        layer.module_type.find("Embedding") != std::string::npos;
    return first_is_embedding ? layer.names[1] : layer.names[0];
  }
  return layer_name(layer.names.front()) + ".linear.weight";
}

std::optional<std::string> reason_of(const Layer& layer, const NamePatterns& patterns) {
  if (layer.status != LayerStatus::kQuantizable) {
    return layer.reason;
  }
  if (auto reason = reason_to_skip(layer.names, layer.shape, patterns)) {
    return reason;
  }
  if (!single_use(layer)) {
    return "several kinds of layers use its weight";
  }
  return std::nullopt;
}

ChosenLayer chosen(const Layer& layer, const NamePatterns& patterns) {
  ChosenLayer made;
  made.layer = &layer;
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): others were skipped
  made.use = *single_use(layer);
  made.kind = layer_kind(made.use, layer.shape.size());
  const bool is_asked =
      first_match(patterns.include, callable_names(layer.names)) != nullptr;
  made.keeps_float = made.use == WeightUse::kLinear &&
                     layer.uses.contains(WeightUse::kEmbedding) && !is_asked;
  made.stored_name =
      made.keeps_float ? name_beside_embedding(layer) : layer.names.front();
  made.name = layer_name(made.stored_name);
  return made;
}

}  // namespace

LayerKind layer_kind(WeightUse use, std::size_t dimensions) {
  switch (use) {
    case WeightUse::kEmbedding:
      return LayerKind::kEmbedding;
    case WeightUse::kConvolution:
    case WeightUse::kTransposedConvolution:
      return dimensions == 3   ? LayerKind::kConv1d
             : dimensions == 4 ? LayerKind::kConv2d
                               : LayerKind::kConv3d;
    case WeightUse::kLinear:
      break;
  }
  return LayerKind::kLinear;
}

std::optional<std::string> reason_to_skip(const std::vector<std::string>& names,
                                          const std::vector<int64_t>& shape,
                                          const NamePatterns& patterns) {
  const std::vector<std::string> callable = callable_names(names);
  if (const std::string* pattern = first_match(patterns.exclude, callable)) {
    return fmt::format("the exclude pattern {} names it", *pattern);
  }
  if (!patterns.include.empty()) {
    return first_match(patterns.include, callable) != nullptr
               ? std::nullopt
               : std::optional<std::string>("no include pattern names it");
  }
  const int64_t weights =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  if (weights < kFewestWeights) {
    return fmt::format("has {} weights, fewer than {}; an include pattern takes it",
                       weights,
                       kFewestWeights);
  }
  if (shape.size() > 2 && shape[1] == 1) {
    return "its kernels read one channel each (depthwise), which integers only slow "
           "down; "
           "an include pattern takes it";
  }
  return std::nullopt;
}

LayerChoice choose_layers(const std::vector<Layer>& layers,
                          const NamePatterns& patterns) {
  LayerChoice choice;
  std::vector<std::string> all_names;
  for (const Layer& layer : layers) {
    const std::vector<std::string> names = callable_names(layer.names);
    all_names.insert(all_names.end(), names.begin(), names.end());
    if (auto reason = reason_of(layer, patterns)) {
      choice.skipped.push_back({layer_name(layer.names.front()), std::move(*reason)});
      continue;
    }
    choice.chosen.push_back(chosen(layer, patterns));
    if (choice.chosen.back().keeps_float) {
      choice.skipped.push_back(
          {layer_name(layer.names.front()),
           "stays float as an embedding; an include pattern takes it"});
    }
  }
  choice.warnings = warnings_of_unused(patterns, all_names);
  return choice;
}

}  // namespace sizewise::quantizing

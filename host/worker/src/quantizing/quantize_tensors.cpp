#include "quantizing/quantize_tensors.hpp"

#include <utility>

#include <fmt/format.h>

#include "quantizing/layer_choice.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/quantize_file.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

QuantizedWeight description_of(const std::string& name,
                               const at::Tensor& tensor,
                               LayerKind kind) {
  QuantizedWeight weight;
  weight.name = name;
  weight.names = {name};
  weight.kind = kind;
  weight.use = use_of(kind);
  weight.shape = tensor.sizes().vec();
  return weight;
}

LayerView view_of(const QuantizedWeight& weight, const TensorMap& weights) {
  LayerView view;
  view.name = layer_name(weight.name);
  view.kind = weight.kind;
  view.weight = weight_matrix(weights.at(weight.name).detach(), weight.use);
  const auto bias = weights.find(bias_beside(weight.name));
  if (bias != weights.end() && bias->second.dim() == 1 &&
      bias->second.size(0) == view.weight.size(0)) {
    view.bias = bias->second.detach().to(at::kFloat);
  }
  return view;
}

void add_weight(QuantizedWeight weight,
                const LayerView& view,
                const NamedQuantizer& quantizer,
                QuantizedModel& made,
                QuantizationResult& result) {
  QuantizedLayerInfo info;
  try {
    quantize_layer(quantizer, view, weight, info);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kQuantization) {
      throw;
    }
    result.errors.push_back(error);
    return;
  }
  made.weights.push_back(std::move(weight));
  result.info.layers.push_back(std::move(info));
}

}  // namespace

void quantize_tensors(const TensorMap& weights,
                      const NamedQuantizer& quantizer,
                      const NamePatterns& patterns,
                      QuantizedModel& made,
                      QuantizationResult& result) {
  if (quantizer.instance->needs().any()) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("quantizer '{}' needs calibration data, and weights alone have none",
                    quantizer.id),
        "use per_channel or dynamic, or quantize the model itself");
  }
  std::vector<std::string> names;
  std::vector<QuantizedWeight> chosen;
  ModelView model;
  for (const auto& [name, tensor] : weights) {
    const auto kind = tensor.is_floating_point()
                          ? kind_of_weight(name, static_cast<std::size_t>(tensor.dim()))
                          : std::nullopt;
    if (!kind) {
      made.others.emplace(name, tensor);
      continue;
    }
    names.insert(names.end(), {layer_name(name), name});
    if (auto reason = reason_to_skip({name}, tensor.sizes().vec(), patterns)) {
      made.others.emplace(name, tensor);
      result.info.skipped.push_back({layer_name(name), std::move(*reason)});
      continue;
    }
    chosen.push_back(description_of(name, tensor, *kind));
    model.layers.push_back(view_of(chosen.back(), weights));
  }
  if (chosen.empty()) {
    throw Error(ErrorCode::kInput,
                "none of the weights can be quantized",
                "give floating-point weights of 2 to 5 dimensions, or other patterns");
  }
  result.warnings = warnings_of_unused(patterns, names);
  training::guarded(quantizer.id, [&] {
    quantizer.instance->prepare(model);
  });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    add_weight(std::move(chosen[i]), model.layers[i], quantizer, made, result);
  }
}

}  // namespace sizewise::quantizing

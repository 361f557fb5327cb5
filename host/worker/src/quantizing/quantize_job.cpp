#include "quantizing/quantize_job.hpp"

#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "quantizing/calibration.hpp"
#include "quantizing/layer_choice.hpp"
#include "quantizing/module_tensors.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/weight_error.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

constexpr std::size_t kMostReasons = 5;

[[noreturn]] void refuse_nothing_chosen(const LayerChoice& choice) {
  std::string reasons;
  for (std::size_t i = 0; i < choice.skipped.size() && i < kMostReasons; ++i) {
    reasons +=
        fmt::format("; '{}': {}", choice.skipped[i].name, choice.skipped[i].reason);
  }
  if (choice.skipped.size() > kMostReasons) {
    reasons += fmt::format("; and {} more", choice.skipped.size() - kMostReasons);
  }
  throw Error(
      ErrorCode::kInput,
      fmt::format("no layer can be quantized{}",
                  reasons.empty() ? ": the model has no weight of 2 or more dimensions"
                                  : reasons),
      "give a model with linear, convolution or embedding layers, or other "
      "include and exclude patterns");
}

/// What quantizers are given, and what kernels read, is in this machine's memory.
void require_cpu(const torch::nn::Module& module) {
  for (const ModuleWeight& weight : list_tensors(module).weights) {
    const at::Tensor& tensor = weight.tensors.front();
    if (!tensor.is_cpu() && !tensor.is_meta()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the weight '{}' is on {}; models are quantized on the cpu",
                              weight.names.front(),
                              tensor.device().str()),
                  "move the model to the cpu first");
    }
  }
}

/// The steps of one job.
class Steps {
 public:
  explicit Steps(const QuantizeJob& job) : job_(job) {
    parts_.info.quantizer = job.quantizer.id;
    parts_.info.options = job.quantizer.options;
  }

  QuantizedParts run() {
    const at::NoGradGuard no_gradients;
    require_cpu(job_.module);
    tell("probe", 0, 1);
    const std::vector<Layer> layers = find_layers(job_.module, [&] {
      job_.run_batch(0);
    });
    tell("probe", 1, 1);
    LayerChoice choice = choose_layers(layers, job_.patterns);
    if (choice.chosen.empty()) {
      refuse_nothing_chosen(choice);
    }
    parts_.info.skipped = std::move(choice.skipped);
    parts_.warnings = std::move(choice.warnings);
    try {
      quantize(choice.chosen);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kQuantization) {
        throw;
      }
      parts_.errors.push_back(error);
    }
    return std::move(parts_);
  }

 private:
  void tell(std::string_view stage, int64_t done, int64_t total) const {
    if (job_.progress) {
      job_.progress(stage, done, total);
    }
  }

  void quantize(const std::vector<ChosenLayer>& chosen) {
    const Calibration seen = calibrate_if_needed(chosen);
    ModelView model;
    for (const ChosenLayer& layer : chosen) {
      model.layers.push_back(view_of(layer, seen));
    }
    guarded([&] {
      job_.quantizer.instance->prepare(model);
    });
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      tell("quantize", static_cast<int64_t>(i), static_cast<int64_t>(chosen.size()));
      add_layer(chosen[i], model.layers[i]);
    }
    tell("quantize",
         static_cast<int64_t>(chosen.size()),
         static_cast<int64_t>(chosen.size()));
  }

  Calibration calibrate_if_needed(const std::vector<ChosenLayer>& chosen) {
    const CalibrationNeeds needs = job_.quantizer.instance->needs();
    if (!needs.any()) {
      return {};
    }
    const auto observer =
        job_.quantizer.options.get_or<std::string>("observer", "minmax");
    std::vector<const Layer*> layers;
    layers.reserve(chosen.size());
    for (const ChosenLayer& layer : chosen) {
      layers.push_back(layer.layer);
    }
    tell("calibrate", 0, job_.calibration_batches);
    Calibration seen = calibrate(job_.module,
                                 layers,
                                 needs,
                                 observer_kind(observer),
                                 job_.calibration_batches,
                                 job_.run_batch,
                                 [&](int64_t done) {
                                   tell("calibrate", done, job_.calibration_batches);
                                 });
    parts_.info.calibration = {
        seen.batches, seen.batches * job_.units_in_batch, observer};
    parts_.warnings.insert(
        parts_.warnings.end(), seen.warnings.begin(), seen.warnings.end());
    return seen;
  }

  /// Undefined where no parameter beside the weight is one number for each output.
  [[nodiscard]] at::Tensor bias_of(const ChosenLayer& chosen, int64_t outputs) const {
    const std::string name = bias_beside(chosen.layer->names.front());
    const at::Tensor bias = parameter_named(job_.module, name);
    return bias.defined() && bias.dim() == 1 && bias.size(0) == outputs
               ? bias.detach().to(at::kFloat)
               : at::Tensor();
  }

  [[nodiscard]] LayerView view_of(const ChosenLayer& chosen,
                                  const Calibration& seen) const {
    LayerView view;
    view.name = chosen.name;
    view.kind = chosen.kind;
    view.weight = weight_matrix(chosen.layer->tensors.front().detach(), chosen.use);
    view.bias = bias_of(chosen, view.weight.size(0));
    const auto found = seen.statistics.find(chosen.layer->names.front());
    if (found != seen.statistics.end()) {
      view.input = found->second;
    }
    return view;
  }

  /// Quantizes a layer; one that is refused is an error among others.
  void add_layer(const ChosenLayer& chosen, const LayerView& view) {
    QuantizedWeight weight;
    weight.name = chosen.stored_name;
    weight.names = chosen.layer->names;
    weight.use = chosen.use;
    weight.kind = chosen.kind;
    weight.keeps_float = chosen.keeps_float;
    weight.shape = chosen.layer->shape;
    QuantizedLayerInfo info;
    try {
      quantize_layer(job_.quantizer, view, weight, info);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kQuantization) {
        throw;
      }
      parts_.errors.push_back(error);
      return;
    }
    parts_.weights.push_back(std::move(weight));
    parts_.info.layers.push_back(std::move(info));
  }

  template <class Call>
  void guarded(Call&& call) const {
    training::guarded(job_.quantizer.id, std::forward<Call>(call));
  }

  const QuantizeJob& job_;
  QuantizedParts parts_;
};

}  // namespace

void quantize_layer(const NamedQuantizer& quantizer,
                    const LayerView& view,
                    QuantizedWeight& weight,
                    QuantizedLayerInfo& info) {
  weight.numbers = training::guarded(quantizer.id, [&] {
    return quantizer.instance->quantize(view);
  });
  check_numbers(view.name, weight.numbers, view.weight.size(0), view.weight.size(1));
  info = info_of(weight);
  info.sqnr_db = weight_sqnr_db(view.weight, weight.numbers);
}

QuantizedLayerInfo info_of(const QuantizedWeight& weight) {
  const QuantizedLayer& numbers = weight.numbers;
  QuantizedLayerInfo info;
  info.name = layer_name(weight.name);
  info.kind = weight.kind;
  info.transposed = weight.use == WeightUse::kTransposedConvolution;
  info.bits = numbers.bits;
  info.scheme = numbers.scheme;
  info.granularity = numbers.granularity;
  info.group_size = numbers.group_size;
  info.activation = numbers.activation;
  return info;
}

QuantizedParts run_quantize_job(const QuantizeJob& job) {
  return Steps(job).run();
}

}  // namespace sizewise::quantizing

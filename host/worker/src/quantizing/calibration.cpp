#include "quantizing/calibration.hpp"

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"

#include "quantizing/input_observer.hpp"
#include "quantizing/module_tensors.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/random_state.hpp"
#include "quantizing/weight_site.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

bool has_input(const Layer& layer) {
  return layer.uses.contains(WeightUse::kLinear) ||
         layer.uses.contains(WeightUse::kConvolution) ||
         layer.uses.contains(WeightUse::kTransposedConvolution);
}

void require_measurable(const Layer& layer, const CalibrationNeeds& needs) {
  if (needs.second_moment && layer.uses.contains(WeightUse::kTransposedConvolution)) {
    const std::string name = layer_name(layer.names.front());
    throw Error(
        ErrorCode::kQuantization,
        fmt::format("layer '{}' is a transposed convolution: the second moments of "
                    "its inputs, which the quantizer asks for, are not measured",
                    name),
        fmt::format("exclude the layer '{}', or choose another quantizer", name));
  }
}

/// What a forward pass can write to: all but the weights that become sites.
std::vector<at::Tensor> writable_tensors(const torch::nn::Module& module,
                                         const std::set<std::string>& sites) {
  ModuleTensors tensors = list_tensors(module);
  std::vector<at::Tensor> writable = std::move(tensors.others);
  for (const ModuleWeight& weight : tensors.weights) {
    if (!sites.contains(weight.names.front())) {
      writable.insert(writable.end(), weight.tensors.begin(), weight.tensors.end());
    }
  }
  return writable;
}

/// The layers of a module while their inputs are measured.
class Measurement {
 public:
  Measurement(const std::vector<const Layer*>& layers,
              const CalibrationNeeds& needs,
              ObserverKind kind) {
    for (const Layer* layer : layers) {
      auto observer = std::make_shared<InputObserver>(layer_name(layer->names.front()),
                                                      layer->tensors.front().detach(),
                                                      needs,
                                                      kind,
                                                      not_finite_);
      for (const at::Tensor& tensor : layer->tensors) {
        sites_.emplace_back(tensor, observer);
      }
      observers_.emplace_back(layer->names.front(), std::move(observer));
    }
  }

  /// @param batch such as "calibration batch 2 of 5"
  void run(const std::string& batch, const std::function<void()>& forward) {
    std::optional<Error> failure;
    try {
      forward();
    } catch (...) {
      failure = training::error_in_flight();
    }
    // First: it may be why the pass failed, and a module may catch what is thrown in it.
    if (const std::optional<std::string> layer = not_finite_->layer()) {
      throw Error(ErrorCode::kQuantization,
                  fmt::format("{}: the input of layer '{}' is not finite", batch, *layer),
                  fmt::format("look for NaN and infinite values in the data and the "
                              "weights, or exclude the "
                              "layer '{}'",
                              *layer));
    }
    if (failure) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{} fails: {}", batch, failure->message()),
                  failure->suggestion().empty() ? "give inputs that the module takes"
                                                : failure->suggestion());
    }
  }

  void store(Calibration& calibration) const {
    for (const auto& [name, observer] : observers_) {
      const auto stored = calibration.statistics.emplace(name, observer->statistics());
      if (stored.first->second.rows == 0) {
        calibration.warnings.push_back(
            fmt::format("layer '{}' saw no input in calibration", observer->name()));
      }
    }
  }

 private:
  std::shared_ptr<FirstNotFinite> not_finite_ = std::make_shared<FirstNotFinite>();
  std::vector<std::pair<std::string, std::shared_ptr<InputObserver>>> observers_;
  std::vector<TemporarySite> sites_;
};

}  // namespace

Calibration calibrate(const torch::nn::Module& module,
                      const std::vector<const Layer*>& layers,
                      const CalibrationNeeds& needs,
                      ObserverKind observer,
                      int64_t batches,
                      const std::function<void(int64_t)>& run_batch,
                      const std::function<void(int64_t)>& after_batch) {
  if (batches <= 0) {
    throw Error(ErrorCode::kInput,
                fmt::format("calibration with {} batches; it needs 1 or more", batches),
                "give calibration data");
  }
  std::vector<const Layer*> measured;
  std::set<std::string> names;
  for (const Layer* layer : layers) {
    if (has_input(*layer)) {
      require_measurable(*layer, needs);
      measured.push_back(layer);
      names.insert(layer->names.front());
    }
  }

  const at::NoGradGuard no_gradients;
  const KeptRandomState random_state;
  const KeptTensors tensors(writable_tensors(module, names));
  Measurement measurement(measured, needs, observer);
  Calibration calibration;
  for (int64_t i = 0; i < batches; ++i) {
    measurement.run(fmt::format("calibration batch {} of {}", i + 1, batches), [&] {
      run_batch(i);
    });
    ++calibration.batches;
    if (after_batch) {
      after_batch(calibration.batches);
    }
  }
  measurement.store(calibration);
  if (needs.input_range && observer == ObserverKind::kMovingAverage) {
    calibration.warnings.emplace_back(
        "observer 'moving_average': the ranges depend on the order of the batches");
  }
  return calibration;
}

}  // namespace sizewise::quantizing

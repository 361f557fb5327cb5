#include "quantizing/quantization_check.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"

#include "quantizing/module_tensors.hpp"
#include "quantizing/random_state.hpp"
#include "quantizing/weight_site.hpp"
#include "training/eval_scope.hpp"

namespace sizewise::quantizing {
namespace {

/// Squares of what a float layer gives and of what a quantized one differs by.
struct SquareSums {
  double signal = 0.0;
  double noise = 0.0;

  void add(const at::Tensor& exact, const at::Tensor& other) {
    const at::Tensor signals = exact.to(at::kDouble);
    signal += signals.square().sum().item<double>();
    noise += (other.to(at::kDouble) - signals).square().sum().item<double>();
  }
  [[nodiscard]] double sqnr_db() const { return 10.0 * std::log10(signal / noise); }
};

/// Computes in float, and beside it what the quantized layer makes of the same input.
class Comparison final : public SiteKernel {
 public:
  Comparison(std::string name,
             at::Tensor weight,
             std::shared_ptr<QuantizedKernel> quantized)
      : SiteKernel(std::move(name)),
        weight_(std::move(weight)),
        quantized_(std::move(quantized)) {}

  [[nodiscard]] at::Tensor dense() const override { return weight_; }

  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const std::optional<at::Tensor>& bias) override {
    return compared(SiteKernel::linear(rows, bias), quantized_->linear(rows, bias));
  }
  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const std::optional<at::Tensor>& bias,
                                       const ConvolutionGeometry& geometry) override {
    return compared(SiteKernel::convolution(input, bias, geometry),
                    quantized_->convolution(input, bias, geometry));
  }
  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    return compared(SiteKernel::embedding(indices), quantized_->embedding(indices));
  }

  [[nodiscard]] double sqnr_db() const { return sums_.sqnr_db(); }

 private:
  at::Tensor compared(at::Tensor exact, const at::Tensor& quantized) {
    const std::scoped_lock lock(mutex_);
    sums_.add(exact, quantized);
    return exact;
  }

  at::Tensor weight_;
  std::shared_ptr<QuantizedKernel> quantized_;
  std::mutex mutex_;
  SquareSums sums_;
};

/// Comparisons in the places of the float model's weights, while this lives.
class Comparisons {
 public:
  /// @throws Error kInput where the float model is no longer as it was quantized
  explicit Comparisons(const QuantizedModel& made) {
    const std::vector<ModuleWeight> places = list_tensors(*made.float_model).weights;
    for (std::size_t i = 0; i < made.weights.size(); ++i) {
      const QuantizedWeight& weight = made.weights[i];
      const auto place = std::find_if(places.begin(), places.end(), [&](const auto& one) {
        return one.names == weight.names;
      });
      if (place == places.end()) {
        throw Error(
            ErrorCode::kInput,
            fmt::format("the float model has no weight '{}' any more", weight.name),
            "leave the module that was quantized as it is until it is compared");
      }
      add(weight.name, *place, made.kernels[i]);
    }
  }

  [[nodiscard]] const std::vector<std::shared_ptr<Comparison>>& layers() const {
    return layers_;
  }

 private:
  void add(const std::string& name,
           const ModuleWeight& place,
           const std::shared_ptr<QuantizedKernel>& kernel) {
    layers_.push_back(
        std::make_shared<Comparison>(name, place.tensors.front().detach(), kernel));
    for (const at::Tensor& tensor : place.tensors) {
      sites_.emplace_back(tensor, layers_.back());
    }
  }

  std::vector<std::shared_ptr<Comparison>> layers_;
  std::vector<TemporarySite> sites_;
};

}  // namespace

QuantizationCheck check_quantized(const QuantizedModel& made,
                                  const std::vector<QuantizedLayerInfo>& infos,
                                  const LossOfOutput& loss) {
  const at::NoGradGuard no_gradients;
  const training::EvalScope float_in_eval(*made.float_model);
  const training::EvalScope quantized_in_eval(*made.model);
  const KeptRandomState random_state;
  const KeptTensors kept_of_float(list_tensors(*made.float_model).others);
  const KeptTensors kept_of_quantized(list_tensors(*made.model).others);
  const Comparisons comparisons(made);
  SquareSums outputs;
  double loss_change = 0.0;
  for (std::size_t i = 0; i < made.inputs.size(); ++i) {
    const at::Tensor exact = made.forward(*made.float_model, made.inputs[i]);
    const at::Tensor quantized = made.forward(*made.model, made.inputs[i]);
    outputs.add(exact, quantized);
    if (loss) {
      loss_change += loss(quantized, i) - loss(exact, i);
    }
  }
  QuantizationCheck check;
  check.output_error =
      outputs.noise == 0.0 ? 0.0 : std::sqrt(outputs.noise / outputs.signal);
  if (loss) {
    check.loss_change = loss_change / static_cast<double>(made.inputs.size());
  }
  for (std::size_t i = 0; i < infos.size(); ++i) {
    check.layers.push_back(
        {infos[i].name, infos[i].sqnr_db, comparisons.layers()[i]->sqnr_db()});
  }
  return check;
}

}  // namespace sizewise::quantizing

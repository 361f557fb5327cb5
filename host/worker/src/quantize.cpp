#include "sizewise/quantize.hpp"

#include <algorithm>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>

#include "checkpoint/checkpoint.hpp"
#include "quantizing/installed_weights.hpp"
#include "quantizing/module_tensors.hpp"
#include "quantizing/quantization_check.hpp"
#include "quantizing/quantize_job.hpp"
#include "quantizing/quantize_tensors.hpp"
#include "quantizing/quantized_model.hpp"
#include "quantizing/random_state.hpp"
#include "quantizing/resolved_settings.hpp"
#include "training/eval_scope.hpp"
#include "training/guarded.hpp"

namespace sizewise {
namespace {

using quantizing::QuantizedModel;

void check_arguments(const std::shared_ptr<torch::nn::Module>& module,
                     const ForwardPass& forward,
                     const std::vector<at::Tensor>& inputs) {
  if (module == nullptr || !forward || inputs.empty()) {
    throw Error(ErrorCode::kInput,
                fmt::format("quantize() got {}",
                            module == nullptr ? "no module"
                            : !forward        ? "no forward pass"
                                              : "no inputs"),
                "give a module, its forward pass and one input or more");
  }
}

/// A module of the same type. @throws Error kInput where there is no way to make one
std::shared_ptr<torch::nn::Module> new_copy(
    const torch::nn::Module& module,
    const std::function<std::shared_ptr<torch::nn::Module>()>& make_copy) {
  if (!make_copy) {
    try {
      return module.clone();
    } catch (const std::exception& error) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the module {} cannot be copied: {}",
                              module.name(),
                              training::without_backtrace(error.what())),
                  "derive it from torch::nn::Cloneable, or give make_copy, which makes a "
                  "module like it");
    }
  }
  std::shared_ptr<torch::nn::Module> copy = make_copy();
  if (copy == nullptr || copy.get() == &module) {
    throw Error(ErrorCode::kInput,
                fmt::format("make_copy gave {} for a copy of {}",
                            copy == nullptr ? "nothing" : "the module itself",
                            module.name()),
                "have it make a new module of the same type and size");
  }
  checkpoint::load_state(*copy, checkpoint::module_state(module), "the module given");
  return copy;
}

/// LibTorch's clone() gives a weight of its own to each name of one that is tied, which
/// would run, and be quantized, as several.
void require_same_ties(const torch::nn::Module& module, const torch::nn::Module& copy) {
  const auto weights = quantizing::list_tensors(module).weights;
  const auto copied = quantizing::list_tensors(copy).weights;
  for (const quantizing::ModuleWeight& weight : weights) {
    const bool is_there =
        std::any_of(copied.begin(), copied.end(), [&](const auto& other) {
          return other.names == weight.names;
        });
    if (!is_there) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the copy of {} does not tie '{}' as the module does",
                              module.name(),
                              fmt::join(weight.names, "', '")),
                  "give make_copy, which makes a module like it with the same ties");
    }
  }
}

/// A module that ties a weight by assigning it to a member computes with a tensor that
/// it has not registered, and of that a copy knows nothing.
void require_same_output(const QuantizedModel& made) {
  const at::NoGradGuard no_gradients;
  const training::EvalScope in_eval(*made.float_model);
  const quantizing::KeptRandomState random_state;
  const quantizing::KeptTensors kept(quantizing::list_tensors(*made.float_model).others);
  const quantizing::KeptTensors kept_of_copy(
      quantizing::list_tensors(*made.model).others);
  const at::Tensor expected = [&] {
    const quantizing::KeptRandomState same_random_numbers;
    return made.forward(*made.float_model, made.inputs.front());
  }();
  const at::Tensor copied = made.forward(*made.model, made.inputs.front());
  // The same numbers at another address may be summed in another order.
  constexpr double kMostError = 1e-3;
  if (expected.sizes() != copied.sizes() ||
      (copied - expected).norm().item<double>() >
          kMostError * expected.norm().item<double>()) {
    throw Error(ErrorCode::kInput,
                fmt::format("the copy of {} does not compute what the module does: a "
                            "tensor that it uses is not registered, or its forward "
                            "pass is random",
                            made.float_model->name()),
                "register every weight, or give make_copy, which makes a module like it");
  }
}

/// A module with the same numbers. @throws Error kInput where there is no way to make one
std::shared_ptr<torch::nn::Module> copy_of(
    const torch::nn::Module& module,
    const std::function<std::shared_ptr<torch::nn::Module>()>& make_copy) {
  std::shared_ptr<torch::nn::Module> copy = new_copy(module, make_copy);
  require_same_ties(module, *copy);
  return copy;
}

/// Puts an error of the quantization kind among a result's, and throws any other.
void add_error(QuantizationResult& result, const Error& error) {
  if (error.code() != ErrorCode::kQuantization) {
    throw error;
  }
  result.errors.push_back(error);
}

int64_t calibration_batches(const std::optional<int64_t>& asked, std::size_t given) {
  const auto all = static_cast<int64_t>(given);
  if (asked && *asked < 1) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("calibration_batches is {}; allowed: 1 or more", *asked),
                "leave it out to run all that are given");
  }
  return asked ? std::min(*asked, all) : all;
}

/// Puts the quantized weights into the copy; its module is the result's model.
void finish(std::shared_ptr<QuantizedModel> made, QuantizationResult& result) {
  try {
    made->kernels = quantizing::install_weights(*made->model, made->weights);
  } catch (const Error& error) {
    add_error(result, error);
    return;
  }
  for (std::size_t i = 0; i < made->kernels.size(); ++i) {
    result.info.layers[i].kernel = made->kernels[i]->route();
  }
  result.model = made->model;
  result.made = std::move(made);
  result.success = true;
}

/// Rows of the first dimension in the first of some inputs.
int64_t units_of(const std::vector<at::Tensor>& inputs, int64_t batches) {
  int64_t units = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(batches); ++i) {
    units += inputs[i].dim() == 0 ? 1 : inputs[i].size(0);
  }
  return units;
}

uint64_t bytes_of(const TensorMap& tensors) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += tensor.nbytes();
  }
  return bytes;
}

}  // namespace

QuantizationResult quantize_module(
    const std::shared_ptr<torch::nn::Module>& module,
    const ForwardPass& forward,
    const std::vector<at::Tensor>& inputs,
    const QuantizeSettings& settings,
    const std::function<std::shared_ptr<torch::nn::Module>()>& make_copy) {
  check_arguments(module, forward, inputs);
  const quantizing::ResolvedSettings resolved = quantizing::resolve(settings);
  auto made = std::make_shared<QuantizedModel>();
  made->float_model = module;
  made->model = copy_of(*module, make_copy);
  made->model->eval();
  made->forward = forward;
  made->inputs = inputs;
  quantizing::QuantizeJob job{*made->model, resolved.quantizer, resolved.patterns};
  job.run_batch = [&](int64_t i) {
    static_cast<void>(forward(*made->model, inputs[static_cast<std::size_t>(i)]));
  };
  job.calibration_batches =
      calibration_batches(resolved.calibration_batches, inputs.size());
  if (settings.progress) {
    job.progress = [&](std::string_view stage, int64_t done, int64_t total) {
      if (stage == "calibrate") {
        settings.progress(done, total);
      }
    };
  }
  quantizing::QuantizedParts parts = quantizing::run_quantize_job(job);
  QuantizationResult result;
  result.info = std::move(parts.info);
  if (auto& calibration = result.info.calibration) {
    calibration->units = units_of(inputs, calibration->batches);
  }
  result.errors = std::move(parts.errors);
  result.warnings = std::move(parts.warnings);
  if (result.errors.empty()) {
    require_same_output(*made);
    made->weights = std::move(parts.weights);
    finish(std::move(made), result);
  }
  return result;
}

QuantizationResult quantize_weights(const TensorMap& weights,
                                    const QuantizeSettings& settings) {
  const quantizing::ResolvedSettings resolved = quantizing::resolve(settings);
  auto made = std::make_shared<QuantizedModel>();
  QuantizationResult result;
  result.info.quantizer = resolved.quantizer.id;
  result.info.options = resolved.quantizer.options;
  quantizing::quantize_tensors(
      weights, resolved.quantizer, resolved.patterns, *made, result);
  if (result.errors.empty()) {
    result.success = true;
    result.info.float_bytes = bytes_of(weights);
    result.made = std::move(made);
  }
  return result;
}

QuantizationResult QuantizationResult::load(
    const std::shared_ptr<torch::nn::Module>& module,
    const std::filesystem::path& folder) {
  if (module == nullptr) {
    throw Error(ErrorCode::kInput,
                "load() got no module",
                "give a module of the type and size that was quantized");
  }
  const quantizing::QuantizedFiles files = quantizing::read_quantized_files(folder);
  const std::filesystem::path weights_file = folder / checkpoint::kWeightsFile;
  QuantizationResult result;
  const auto kernels = quantizing::load_files(*module, files, weights_file.string());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    result.info.layers.push_back(quantizing::info_of(files.weights[i]));
    result.info.layers.back().kernel = kernels[i]->route();
  }
  result.info.quantized_bytes = std::filesystem::file_size(weights_file);
  result.model = module;
  result.success = true;
  return result;
}

void QuantizationResult::save(const std::filesystem::path& folder) {
  if (!made) {
    throw Error(ErrorCode::kQuantization,
                "there is no quantized model to save",
                errors.empty() ? "call quantize() first" : errors.front().message());
  }
  if (!made->model) {
    info.quantized_bytes =
        quantizing::write_quantized_files(folder, {made->weights, made->others, {}});
    return;
  }
  info.float_bytes = bytes_of(checkpoint::module_state(*made->float_model).tensors);
  info.quantized_bytes = quantizing::write_quantized_files(
      folder, quantizing::files_of(*made->model, made->weights));
}

QuantizationCheck QuantizationResult::validate(double tolerance,
                                               OnFailure on_failure,
                                               const LossOfOutput& loss) {
  if (!made || !made->model) {
    throw Error(ErrorCode::kInput,
                "there is no quantized model to compare",
                "validate() needs what quantize() made of a module");
  }
  if (!(tolerance >= 0.0)) {
    throw Error(ErrorCode::kInput,
                fmt::format("the tolerance is {}; allowed: 0 or more", tolerance));
  }
  QuantizationCheck check = quantizing::check_quantized(*made, info.layers, loss);
  check.passed = check.output_error <= tolerance;
  if (check.passed || on_failure == OnFailure::kIgnore) {
    return check;
  }
  const std::string message = fmt::format(
      "the quantized model's outputs differ by {:.3g} of the float model's; "
      "allowed: {:.3g}",
      check.output_error,
      tolerance);
  if (on_failure == OnFailure::kError) {
    throw Error(ErrorCode::kValidation,
                message,
                "exclude the layers of the lowest output_sqnr_db, or take more bits");
  }
  warnings.push_back(message);
  return check;
}

void load_quantized(torch::nn::Module& module, const std::filesystem::path& folder) {
  quantizing::load_files(module,
                         quantizing::read_quantized_files(folder),
                         (folder / checkpoint::kWeightsFile).string());
}

}  // namespace sizewise

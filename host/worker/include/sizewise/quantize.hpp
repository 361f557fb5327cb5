#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>

#include "sizewise/error.hpp"
#include "sizewise/options.hpp"
#include "sizewise/quantizer.hpp"
#include "sizewise/tensor_map.hpp"

namespace sizewise {

namespace quantizing {
struct QuantizedModel;  // what save() writes
}

/// What to quantize, and how. What is empty is taken from `config`, then from defaults.
struct QuantizeSettings {
  std::string quantizer;  ///< an id, or the path of a .so; by default "dynamic"
  Options options;        ///< of the quantizer; by default the manifest's
  /// Name patterns (`*`, `?`) of layers, such as "blocks.*.mlp_hidden"; by default all.
  std::vector<std::string> include;
  std::vector<std::string> exclude;  ///< stronger than `include`
  /// Batches of calibration that are run; by default all that are given.
  std::optional<int64_t> calibration_batches;
  /// A JSON file as `sizewise quantize --config` takes it, of which `quantizer`,
  /// `include`, `exclude` and `calibration_batches` are read. Empty: none.
  std::filesystem::path config;
  std::vector<std::filesystem::path> plugin_dirs;  ///< looked at before the usual places
  /// Called after each calibration batch (done, total); may be empty.
  std::function<void(int64_t, int64_t)> progress;
};

/// A layer that runs quantized.
struct QuantizedLayerInfo {
  std::string name;  ///< "fc1"
  LayerKind kind = LayerKind::kLinear;
  bool transposed = false;  ///< of a convolution
  int bits = 8;
  Scheme scheme = Scheme::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 0;
  ActivationTreatment activation = ActivationTreatment::kNone;
  /// Of the weight: 10 log10(sum w^2 / sum (w - decoded)^2); NaN of one that was loaded.
  double sqnr_db = std::numeric_limits<double>::quiet_NaN();
  std::string kernel;  ///< what computes it; empty for weights alone
};

/// A layer that stays float, and why.
struct SkippedLayer {
  std::string name;
  std::string reason;
};

/// What calibration ran.
struct CalibrationInfo {
  int64_t batches = 0;
  int64_t units = 0;  ///< input rows of the first dimension, over all batches
  std::string observer;
};

/// What was done to a model.
struct QuantizationInfo {
  std::string quantizer;
  Options options;  ///< complete
  std::vector<QuantizedLayerInfo> layers;
  std::vector<SkippedLayer> skipped;
  std::optional<CalibrationInfo> calibration;
  /// Of the float weights' file, or where there is none of their tensors; of a module, 0
  /// until save().
  uint64_t float_bytes = 0;
  uint64_t quantized_bytes = 0;  ///< of the quantized weights' file; 0 until it is there
};

/// What validate() does where the tolerance is missed.
enum class OnFailure { kError, kWarn, kIgnore };

/// How a quantized model differs from its float one.
struct QuantizationCheck {
  struct Layer {
    std::string name;
    double weight_sqnr_db = std::numeric_limits<double>::quiet_NaN();
    /// Of the layer's own outputs, on the inputs that the float layer sees; NaN where no
    /// input reached it.
    double output_sqnr_db = std::numeric_limits<double>::quiet_NaN();
  };
  std::vector<Layer> layers;
  /// |q - f| / |f| over all outputs, Euclidean norms.
  double output_error = std::numeric_limits<double>::quiet_NaN();
  /// Mean loss of the quantized less the float model's; nothing where no loss was given.
  std::optional<double> loss_change;
  bool passed = false;  ///< output_error <= tolerance
};

/// The loss of the output for input number i of those given to quantize().
using LossOfOutput = std::function<double(const at::Tensor& output, std::size_t i)>;

/// A module's forward pass on one input.
using ForwardPass =
    std::function<at::Tensor(torch::nn::Module& module, const at::Tensor& input)>;

/// What quantize() made.
struct QuantizationResult {
  std::shared_ptr<torch::nn::Module> model;  ///< runs quantized; null where it failed
  QuantizationInfo info;
  bool success = false;
  std::vector<Error> errors;  ///< of code kQuantization, with suggestions
  std::vector<std::string> warnings;

  explicit operator bool() const { return success; }

  /// The model as the type that it is. @throws Error kInput where it is another
  template <class Module>
  [[nodiscard]] std::shared_ptr<Module> as() const {
    auto typed = std::dynamic_pointer_cast<Module>(model);
    if (!typed) {
      throw Error(ErrorCode::kInput, "the quantized model is not of the type asked for");
    }
    return typed;
  }

  /// Gives a module the quantized weights of a folder, as load_quantized() does, and
  /// tells of its layers. There is no float model to validate() it against.
  /// @throws Error as load_quantized()
  [[nodiscard]] static QuantizationResult load(
      const std::shared_ptr<torch::nn::Module>& module,
      const std::filesystem::path& folder);

  /// Writes a compressed-tensors checkpoint (docs/quantization.md) and sets the bytes of
  /// `info`. @throws Error kQuantization where there is no model, kIo
  void save(const std::filesystem::path& folder);

  /// Compares with the float model, which must be as it was, on the inputs given to
  /// quantize().
  /// @param tolerance largest allowed output_error, 0 or more
  /// @param loss where given, tells the change of the mean loss too
  /// @throws Error kValidation where it is missed and on_failure is kError (kWarn adds to
  ///   `warnings`); kInput where there is no model or the tolerance is below 0
  QuantizationCheck validate(double tolerance,
                             OnFailure on_failure = OnFailure::kError,
                             const LossOfOutput& loss = {});

  /// What save() and validate() need.
  std::shared_ptr<quantizing::QuantizedModel> made;
};

/// Quantizes a copy of a module; the module itself stays as it is, bit by bit.
/// @param module Cloneable and without tied weights, or `make_copy` makes one like it,
///   into which its weights are copied
/// @param forward runs one input
/// @param inputs at least one: the first tells what the layers do; all of them calibrate
///   a quantizer that asks for it
/// @returns success = false with errors of kind kQuantization where a layer cannot be
///   quantized as asked
/// @throws Error kConfiguration for settings that are not allowed; kInput where the
///   module cannot be copied with its ties, has no layer to quantize or fails on an
///   input; kPlugin
[[nodiscard]] QuantizationResult quantize_module(
    const std::shared_ptr<torch::nn::Module>& module,
    const ForwardPass& forward,
    const std::vector<at::Tensor>& inputs,
    const QuantizeSettings& settings = {},
    const std::function<std::shared_ptr<torch::nn::Module>()>& make_copy = {});

/// The same for a module whose forward() takes and returns one tensor.
template <std::derived_from<torch::nn::Module> Module>
[[nodiscard]] QuantizationResult quantize(
    const std::shared_ptr<Module>& module,
    const std::vector<at::Tensor>& inputs,
    const QuantizeSettings& settings = {},
    const std::function<std::shared_ptr<torch::nn::Module>()>& make_copy = {}) {
  return quantize_module(
      module,
      [](torch::nn::Module& copy, const at::Tensor& input) {
        return dynamic_cast<Module&>(copy).forward(input);
      },
      inputs,
      settings,
      make_copy);
}

/// Quantizes weights by name, without a module: what is 2-dimensional or more and
/// floating is taken for the weight of an embedding (where its name has "embed"), a
/// linear layer or a convolution.
/// @returns what quantize() returns, without a model; save() writes the files
/// @throws Error as quantize_module()
[[nodiscard]] QuantizationResult quantize_weights(const TensorMap& weights,
                                                  const QuantizeSettings& settings = {});

/// Gives a module the quantized weights that save() wrote: it runs quantized from then
/// on, with the same bits. Where this throws, the module is as it was.
/// @param module of the type and size that was quantized; its own weights are dropped
/// @throws Error kInput naming the file or the tensor where they do not fit the module or
///   are damaged
void load_quantized(torch::nn::Module& module, const std::filesystem::path& folder);

}  // namespace sizewise

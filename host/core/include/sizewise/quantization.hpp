#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/error.hpp"
#include "sizewise/experiment.hpp"
#include "sizewise/options.hpp"

namespace sizewise {

/// Batches that calibration runs unless told.
inline constexpr int64_t kDefaultCalibrationBatches = 32;

/// What quantize() is asked for.
struct QuantizationRequest {
  /// The folder of a float model, as `sizewise train` writes it, or a file of weights
  /// alone: safetensors, or a state dict that torch.save() wrote.
  std::filesystem::path source;
  PluginChoice quantizer;
  /// What calibrates and evaluates; empty: the dataset that the model was trained on.
  /// Weights alone take none, no loss, no model and no batches.
  PluginChoice dataset;
  PluginChoice loss;   ///< empty: the one that the model was trained with
  PluginChoice model;  ///< empty: the plugin that the folder names
  /// Name patterns (`*`, `?`) of layers, such as "blocks.*.mlp_hidden"; empty: all.
  std::vector<std::string> include;
  std::vector<std::string> exclude;            ///< stronger than `include`
  std::optional<int64_t> calibration_batches;  ///< absent: kDefaultCalibrationBatches
  std::optional<int64_t> batch_size;           ///< absent: the one of the training
  bool evaluate = true;          ///< measure the float and the quantized model
  int threads = 0;               ///< 0: all cores
  std::filesystem::path output;  ///< a folder that holds no model yet
  std::filesystem::path worker;  ///< the worker program; empty: the usual one
  std::vector<std::filesystem::path> plugin_dirs;  ///< searched first
  /// Becomes true from another thread or a signal handler: stop; borrowed.
  const std::atomic<bool>* stop = nullptr;

  /// Reads what --config takes: `quantizer`, `dataset`, `loss`, `model` (an id, or
  /// {"plugin", "options"}), `include`, `exclude`, `calibration_batches`, `batch_size`,
  /// `evaluate`.
  /// @throws Error kInput for bad JSON, kConfiguration for an unknown field or a value
  /// not allowed
  static QuantizationRequest from_json(std::string_view text);
};

/// What a quantization did. Words and numbers are those of docs/command-line.md.
struct QuantizationReport {
  /// A layer that runs quantized.
  struct Layer {
    std::string name;
    std::string kind;  ///< "linear", "conv1d", "conv2d", "conv3d" or "embedding"
    int bits = 0;
    std::string scheme;  ///< "symmetric" or "asymmetric"
    std::string
        granularity;  ///< which weights share a scale: "tensor", "channel", "group"
    int64_t group_size = 0;   ///< 0 where the granularity is another
    std::string activation;   ///< "none", "dynamic" or "static"
    double sqnr_db = NAN;     ///< of the weight; NaN where it is exact
    std::string kernel;       ///< empty for weights alone
    bool transposed = false;  ///< of a convolution
  };
  /// A layer that stays float.
  struct Skipped {
    std::string name;
    std::string reason;
  };
  /// Files on the disk.
  struct Bytes {
    int64_t float_model = 0;
    int64_t quantized = 0;
    double ratio = NAN;
  };
  struct Calibration {
    int64_t batches = 0;
    int64_t units = 0;
    std::string observer;
  };
  /// On the validation split; the accuracy is NaN where the loss counts no hits.
  struct Measured {
    double loss = NAN;
    double accuracy = NAN;
    double seconds_per_batch = NAN;
  };
  struct Evaluation {
    Measured float_model;
    Measured quantized;
  };

  std::string quantizer;  ///< its id
  Options options;        ///< complete
  bool success = false;
  bool interrupted = false;           ///< it was told to stop; the rest is empty
  std::vector<Error> errors;          ///< why it failed, with what to do
  std::vector<std::string> warnings;  ///< told to Callbacks::warning too
  std::vector<Layer> layers;          ///< in the order of the forward pass
  std::vector<Skipped> skipped;
  std::optional<Bytes> bytes;  ///< absent where it failed
  std::optional<Calibration> calibration;
  std::optional<Evaluation> evaluation;
  std::filesystem::path output;  ///< the folder that was written; empty where it failed

  /// What `sizewise quantize --json` prints: one JSON object.
  [[nodiscard]] std::string to_json() const;
  /// Reads what to_json() wrote.
  /// @throws Error kInput where the text is none
  static QuantizationReport from_json(std::string_view text);
};

}  // namespace sizewise

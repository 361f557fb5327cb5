#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sizewise/error.hpp"
#include "sizewise/quantize.hpp"
#include "sizewise/quantizer.hpp"

#include "quantizing/layer_probe.hpp"

namespace sizewise::quantizing {

/// What to do with a file of weights.
struct FileSettings {
  std::string quantizer = "the quantizer";  ///< its id, for messages
  /// Why a weight stays float, by its name ("fc1.weight") and shape; nothing where
  /// it is to be quantized. May be empty: then all are.
  std::function<std::optional<std::string>(const std::string& name,
                                           const std::vector<int64_t>& shape)>
      reason_to_skip;
  /// Called after each tensor (bytes done, bytes in all); may be empty.
  std::function<void(uint64_t, uint64_t)> progress;
};

/// What quantize_file() did.
struct FileQuantization {
  std::vector<QuantizedLayerInfo> layers;
  std::vector<SkippedLayer> skipped;
  /// Of code kQuantization, one a layer. Where there is one, nothing was written.
  std::vector<Error> errors;
  std::vector<std::string> warnings;
  uint64_t float_bytes = 0;      ///< of the files that were read
  uint64_t quantized_bytes = 0;  ///< of model.safetensors; 0 where nothing was written
};

/// How a weight is used, by its name and shape alone: one of 2 dimensions is an
/// embedding's where its name contains "embed", else a linear layer's; 3 to 5 dimensions
/// are a convolution's. Nothing for another number of dimensions.
[[nodiscard]] std::optional<LayerKind> kind_of_weight(const std::string& name,
                                                      std::size_t dimensions);

/// How a layer of such a kind uses its weight, no convolution being transposed.
[[nodiscard]] WeightUse use_of(LayerKind kind);

/// Quantizes a file of weights tensor by tensor and writes what write_quantized_files()
/// writes; in memory are one tensor, as the file holds it and in float32, and its codes.
/// Floating tensors of 2 to 5 dimensions are layers' weights; all others are copied.
/// @param weights see checkpoint::open_weight_file()
/// @param quantizer its prepare() is not called: no model is in memory
/// @param output is made where it is not there
/// @throws Error kConfiguration where the quantizer needs calibration; kInput where the
///   file is damaged, quantized already or would be overwritten; kPlugin naming the
///   quantizer where it throws what it may not; kIo
[[nodiscard]] FileQuantization quantize_file(const std::filesystem::path& weights,
                                             const Quantizer& quantizer,
                                             const std::filesystem::path& output,
                                             const FileSettings& settings = {});

}  // namespace sizewise::quantizing

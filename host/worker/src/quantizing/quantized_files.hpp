#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sizewise/tensor_map.hpp"

#include "quantizing/quantized_weight.hpp"

namespace sizewise::quantizing {

/// A quantized model as files hold it: a compressed-tensors checkpoint, model.safetensors
/// and config.json with its `quantization_config`.
struct QuantizedFiles {
  std::vector<QuantizedWeight> weights;
  TensorMap others;  ///< parameters and buffers that stay as they are, by name
  std::map<std::string, std::string> tied;  ///< other name -> stored name, of `others`
};

/// Writes both files durably; config.json comes last.
/// @returns the bytes of model.safetensors
/// @throws Error kIo where they cannot be written
uint64_t write_quantized_files(const std::filesystem::path& folder,
                               const QuantizedFiles& content);

/// Whether a folder's config.json has a `quantization_config`.
[[nodiscard]] bool holds_quantized_files(const std::filesystem::path& folder);

/// @throws Error kInput naming the file and the tensor where something is missing,
///   truncated, forged or contradicts config.json; kIo where it cannot be read
[[nodiscard]] QuantizedFiles read_quantized_files(const std::filesystem::path& folder);

}  // namespace sizewise::quantizing

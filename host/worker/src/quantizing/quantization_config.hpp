#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/weight_file.hpp"
#include "quantizing/stored_weight.hpp"

// config.json of a quantized checkpoint. `quantization_config` is what other programs
// read; `sizewise` holds what that cannot say. Without LibTorch, so that a fuzzer reaches
// it. Source: compressed-tensors 0.20, quantization/quant_config.py, quant_scheme.py and
// quant_args.py.

namespace sizewise::quantizing {

/// The longest config.json that is read, in bytes.
inline constexpr uint64_t kLongestConfigBytes = 100'000'000;

/// What config.json says.
struct QuantizationConfig {
  std::vector<StoredWeight> weights;
  std::vector<std::string> others;          ///< tensors that stay as they were
  std::map<std::string, std::string> tied;  ///< other name -> stored name, of `others`
  std::vector<std::string> ignored;         ///< modules whose weights are no codes
};

/// The text of config.json. parse_config() reads it back.
/// @throws Error kInput where no file can say this: names that stand twice, say
[[nodiscard]] std::string format_config(const QuantizationConfig& config);

/// Whether this is JSON with a `quantization_config`; false where it is no JSON.
[[nodiscard]] bool has_quantization_config(std::string_view text);

/// @param file what messages call it
/// @throws Error kInput naming the file and the weight where it is no JSON, was not
///   written by Sizewise, holds what is not allowed, or where `quantization_config` and
///   `sizewise` contradict each other
[[nodiscard]] QuantizationConfig parse_config(std::string_view text,
                                              const std::string& file);

/// Compares with the tensors that a file holds: each that the config speaks of must be
/// there, of its type and shape, and no other.
/// @param file what messages call it
/// @throws Error kInput naming the file and the tensor
void check_tensors(const QuantizationConfig& config,
                   const std::vector<checkpoint::WeightTensor>& tensors,
                   const std::string& file);

}  // namespace sizewise::quantizing

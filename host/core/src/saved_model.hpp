#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sizewise/experiment.hpp"
#include "sizewise/host.hpp"

// What train, evaluate and quantize share: a model's folder, and the plugins that it
// names.

namespace sizewise {

inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kFactsFile = "model.json";
/// Of weights in several files (shards).
inline constexpr const char* kWeightsIndexFile = "model.safetensors.index.json";
/// Of a quantized model: compressed-tensors' description.
inline constexpr const char* kFormatFile = "config.json";

/// What model.json of a folder says.
/// @throws Error kInput where it is not there or damaged
[[nodiscard]] nlohmann::json read_facts(const std::filesystem::path& folder);

/// Whether a folder holds a quantized model or quantized weights.
[[nodiscard]] bool is_quantized(const std::filesystem::path& folder);

/// Refuses a folder that a model cannot be written to.
/// @param marks files that it may not hold
/// @throws Error kInput where it is a file, holds one of them or is quantized
void check_output(const std::filesystem::path& output,
                  const std::vector<std::string>& marks);

/// The plugin of a model's facts, with the options that they name, unless the user chose
/// another.
/// @param kind "model", "dataset" or "loss"
/// @throws Error kInput where the facts name none
[[nodiscard]] PluginChoice choice_or(const PluginChoice& given,
                                     const nlohmann::json& facts,
                                     const std::string& kind);

/// All cores where none are given.
[[nodiscard]] int threads_or_all(int threads);

void say_warnings(const std::vector<std::string>& warnings, const Callbacks& callbacks);

}  // namespace sizewise

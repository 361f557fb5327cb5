#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "quantizing/quantization_config.hpp"

// config.json on the disk. Without LibTorch.

namespace sizewise::quantizing {

/// Its name in a checkpoint's folder.
inline constexpr const char* kConfigFile = "config.json";

/// Adds a weight to a config.
void note_weight(StoredWeight weight, QuantizationConfig& config);

/// Adds a tensor that stays as it is to a config.
/// @param dimensions its own, by which a layer's weight is told from a bias
void note_other(const std::string& name,
                int64_t dimensions,
                bool is_floating,
                QuantizationConfig& config);

/// @param text what format_config() made
/// @throws Error kIo
void write_config(const std::filesystem::path& folder, std::string_view text);

/// Takes away a folder's config.json, so that it never speaks of other weights than those
/// beside it. @throws Error kIo
void remove_config(const std::filesystem::path& folder);

/// Whether a folder's config.json has a `quantization_config`.
[[nodiscard]] bool has_config(const std::filesystem::path& folder);

/// @throws Error kIo where it cannot be read; kInput as parse_config()
[[nodiscard]] QuantizationConfig read_config(const std::filesystem::path& folder);

}  // namespace sizewise::quantizing

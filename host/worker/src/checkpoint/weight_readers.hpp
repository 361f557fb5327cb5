#pragma once

#include <filesystem>
#include <memory>

#include "checkpoint/weight_file.hpp"

// What open_weight_file() chooses from. Each throws as it says.

namespace sizewise::checkpoint {

/// One safetensors file.
[[nodiscard]] std::unique_ptr<WeightFile> open_safetensors_weights(
    const std::filesystem::path& path);

/// The shards of a folder with model.safetensors.index.json, in the order of their names.
/// Each tensor must stand in the shard that the index names, and in no other.
[[nodiscard]] std::unique_ptr<WeightFile> open_sharded_weights(
    const std::filesystem::path& folder);

/// A file that torch.save() wrote.
[[nodiscard]] std::unique_ptr<WeightFile> open_state_dict_weights(
    const std::filesystem::path& path);

}  // namespace sizewise::checkpoint

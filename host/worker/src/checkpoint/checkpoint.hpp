#pragma once

#include <cstdint>
#include <filesystem>

#include <nlohmann/json_fwd.hpp>

namespace torch::nn {
class Module;
}

namespace sizewise::checkpoint {

/// The files of a checkpoint, in its folder.
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kFactsFile = "model.json";

/// Writes a folder with the module's parameters and buffers by name (a tied tensor once,
/// its other names in the file's metadata) and the facts, to which the weights' checksum
/// is added. The facts come last: a folder that has them is whole.
/// @throws Error kIo where the folder or a file cannot be written
void save_checkpoint(const std::filesystem::path& folder,
                     const torch::nn::Module& module,
                     nlohmann::json facts);

/// The facts of a checkpoint. @throws Error kInput where the folder holds no checkpoint
/// of Sizewise, or its weights are not those that the facts were written for
[[nodiscard]] nlohmann::json read_facts(const std::filesystem::path& folder);

/// Gives a module the weights of a checkpoint.
/// @returns the bytes of the weights file
/// @throws Error kInput where names, shapes or types differ, naming the first that does
uint64_t load_weights(const std::filesystem::path& folder, torch::nn::Module& module);

}  // namespace sizewise::checkpoint

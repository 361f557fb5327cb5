#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/tensor_map.hpp"

namespace torch::nn {
class Module;
}

namespace sizewise::checkpoint {

/// The files of a checkpoint, in its folder.
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kFactsFile = "model.json";

/// A module's parameters and buffers, a tied tensor once.
struct ModuleState {
  TensorMap tensors;
  std::map<std::string, std::string> tied;  ///< other name -> the name in `tensors`
};

/// The parameters and buffers of a module, borrowed.
[[nodiscard]] ModuleState module_state(const torch::nn::Module& module);

/// Copies stored numbers into a module: all of them, or where this throws none.
/// @param source names where they come from in messages
/// @param besides names of the module that `stored` has not and that stay as they are
/// @throws Error kInput where names, shapes or types differ, naming the first that does
void load_state(torch::nn::Module& module,
                const ModuleState& stored,
                const std::filesystem::path& source,
                const std::set<std::string>& besides = {});

/// Writes a folder with the module's parameters and buffers by name (a tied tensor once,
/// its other names in the file's metadata) and the facts, to which the weights' checksum
/// is added. The facts come last: a folder that has them is whole.
/// @throws Error kIo where the folder or a file cannot be written
void save_checkpoint(const std::filesystem::path& folder,
                     const torch::nn::Module& module,
                     nlohmann::json facts);

/// Writes the facts beside weights that are there, with the weights' checksum added.
/// @throws Error kIo where a file cannot be written
void write_facts(const std::filesystem::path& folder, nlohmann::json facts);

/// The facts of a checkpoint. @throws Error kInput where the folder holds no checkpoint
/// of Sizewise, or its weights are not those that the facts were written for
[[nodiscard]] nlohmann::json read_facts(const std::filesystem::path& folder);

/// Gives a module the weights of a checkpoint.
/// @returns the bytes of the weights file
/// @throws Error kInput where names, shapes or types differ, naming the first that does
uint64_t load_weights(const std::filesystem::path& folder, torch::nn::Module& module);

}  // namespace sizewise::checkpoint

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "sizewise/tensor_map.hpp"

namespace sizewise::checkpoint {

/// The content of a safetensors file.
struct Safetensors {
  TensorMap tensors;  ///< on the CPU, contiguous
  std::map<std::string, std::string> metadata;
};

/// Writes tensors (from any device, of any layout) durably: see running::replace_file().
/// @throws Error kIo where the system refuses, kInput for a type that the format lacks
void write_safetensors(const std::filesystem::path& path, const Safetensors& content);

/// Reads a whole file. @throws Error kInput naming the file where it is truncated or not
/// as the format says, kIo where it cannot be read
[[nodiscard]] Safetensors read_safetensors(const std::filesystem::path& path);

}  // namespace sizewise::checkpoint

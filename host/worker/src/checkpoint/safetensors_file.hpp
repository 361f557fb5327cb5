#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "checkpoint/safetensors_header.hpp"

namespace sizewise::checkpoint {

/// A safetensors file whose header has been read; its tensors' bytes begin at data_begin.
struct SafetensorsFile {
  std::ifstream stream;
  SafetensorsHeader header;
  uint64_t data_begin = 0;
};

/// @throws Error kIo where the file cannot be read; kInput naming it where it is cut
/// short
///   or not as the format says
[[nodiscard]] SafetensorsFile open_safetensors_file(const std::filesystem::path& path);

/// The Error of a file that is no whole safetensors file.
[[noreturn]] void refuse_safetensors(const std::filesystem::path& path,
                                     std::string_view what);

}  // namespace sizewise::checkpoint

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace sizewise::datasets {

/// An array of unsigned bytes as an IDX file holds it, the last dimension fastest.
struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// Reads an IDX file, plain or gzip, of unsigned bytes with that many dimensions. No more
/// is read than its header says.
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats.
/// @throws Error kInput, saying the file, what was expected and what was found, where the
///   magic number or the length is wrong or the compressed data are damaged; kIo where it
///   cannot be read
[[nodiscard]] IdxArray read_idx(const std::filesystem::path& file,
                                std::size_t dimensions);

}  // namespace sizewise::datasets

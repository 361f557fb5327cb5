#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// The header of a safetensors file: 8 bytes of little-endian length, that many bytes of
// JSON, then the tensors' bytes.
// Source: https://github.com/huggingface/safetensors, README, "Format".

namespace sizewise::checkpoint {

/// Of the length of the header, which stands before it.
inline constexpr uint64_t kLengthBytes = 8;

/// The longest header that is read, in bytes: the format's own limit.
inline constexpr uint64_t kLongestHeaderBytes = 100'000'000;

/// One tensor of a file.
struct TensorEntry {
  std::string name;
  std::string type;            ///< "F32" and the like
  std::vector<int64_t> shape;  ///< row-major
  uint64_t begin = 0;          ///< in bytes, from the end of the header
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  ///< in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// The bytes of one element of a type of the format; 0 for a type that Sizewise does not
/// read.
[[nodiscard]] uint64_t element_bytes(std::string_view type) noexcept;

/// Reads the JSON of a header whose file holds `data_bytes` bytes after it.
/// @throws Error kInput where it is no such header, names a tensor twice or a type that
///   there is not, or where the tensors do not cover the data exactly, one after another
[[nodiscard]] SafetensorsHeader parse_safetensors_header(std::string_view json,
                                                         uint64_t data_bytes);

/// The header as it begins a file: length, JSON, and spaces up to a multiple of 8 bytes.
/// @param least_bytes spaces up to at least as many
[[nodiscard]] std::string format_safetensors_header(const SafetensorsHeader& header,
                                                    uint64_t least_bytes = 0);

}  // namespace sizewise::checkpoint

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors_header.hpp"
#include "checkpoint/weight_type.hpp"
#include "running/durable_file.hpp"

namespace sizewise::checkpoint {

/// The most bytes that a tensor's entry takes in a header.
[[nodiscard]] uint64_t header_room(std::string_view name, std::size_t dimensions);

/// Writes a safetensors file tensor by tensor, with none of them in memory. The header's
/// room comes first and is filled at the end; what it does not need is spaces, as the
/// format allows. Every tensor begins at a multiple of its element's size: those that
/// would move what follows off that wait in a file beside. Without finish() nothing
/// stays. [one thread at a time]
class SafetensorsWriter {
 public:
  /// @param room at least the sum of header_room() over the tensors that will be added
  /// @throws Error kIo, as all its functions; kInput where no reader takes a header of
  ///   that size
  SafetensorsWriter(std::filesystem::path path,
                    uint64_t room,
                    std::map<std::string, std::string> metadata);

  /// @param bytes row-major, without gaps
  /// @throws Error kInternal where they are not as many as type and shape take
  void add(std::string name,
           WeightType type,
           std::vector<int64_t> shape,
           std::span<const std::byte> bytes);

  /// Makes the file durable. @returns its bytes
  /// @throws Error kInternal where the header does not fit its room
  uint64_t finish();

 private:
  std::filesystem::path path_;
  uint64_t room_;
  running::GrowingFile file_;
  SafetensorsHeader header_;
  std::optional<running::GrowingFile> beside_;
  std::vector<TensorEntry> waiting_;  ///< places in `beside_`
};

}  // namespace sizewise::checkpoint

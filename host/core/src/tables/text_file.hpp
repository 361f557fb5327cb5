#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace sizewise::tables {

/// The text of a file. A large one is mapped, so that it takes no memory beside the table
/// made from it; a pipe is read to its end.
class TextFile {
 public:
  /// @throws Error kIo naming file and reason where it cannot be read
  explicit TextFile(const std::filesystem::path& path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  [[nodiscard]] std::string_view text() const;

 private:
  bool map(int file, std::size_t size);
  bool read(int file);

  std::string read_;
  void* mapped_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sizewise::tables

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

struct zip;
struct zip_file;

namespace sizewise::checkpoint {

/// One entry of a zip archive.
struct ZipEntry {
  uint64_t index = 0;
  uint64_t bytes = 0;   ///< uncompressed
  bool stored = false;  ///< uncompressed in the archive, so that any part can be read
};

/// A zip archive that is read entry by entry (through libzip). [one thread at a time]
class ZipArchive {
 public:
  /// @throws Error kIo where the file cannot be opened; kInput naming the file where it
  /// is
  ///   no zip archive or a damaged one, has an entry that is encrypted, that stands
  ///   twice, or that says it is larger than its bytes can be
  explicit ZipArchive(const std::filesystem::path& path);

  /// By name.
  [[nodiscard]] const std::map<std::string, ZipEntry>& entries() const {
    return entries_;
  }

  /// Fills `bytes` from an entry's byte `offset` on. Of an entry that is compressed all
  /// before it is read too.
  /// @throws Error kInput where the entry ends before or cannot be decompressed
  void read(const ZipEntry& entry, uint64_t offset, std::span<std::byte> bytes);

  /// A whole entry. @throws Error kInput as read(), and where it has more than `most`
  /// bytes
  [[nodiscard]] std::string read_text(const ZipEntry& entry, uint64_t most);

 private:
  struct Closer {
    void operator()(struct zip* archive) const;
    void operator()(struct zip_file* file) const;
  };

  void add_entry(uint64_t index, uint64_t file_bytes);
  void open(const ZipEntry& entry);
  void read_on(std::span<std::byte> bytes);
  [[noreturn]] void refuse(const std::string& what) const;

  std::filesystem::path path_;
  std::unique_ptr<struct zip, Closer> archive_;
  std::map<std::string, ZipEntry> entries_;
  std::unique_ptr<struct zip_file, Closer> open_;  ///< the entry read last
  uint64_t open_index_ = 0;
  uint64_t position_ = 0;  ///< in it
};

}  // namespace sizewise::checkpoint

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

// Files that survive a crash whole or not at all.

namespace sizewise::running {

/// What commit_new() found.
enum class Commit {
  kWritten,  ///< the file is there now, and on the disk
  kThere,    ///< it was there before and stays as it was
};

/// Writes a file that must not change again: a temporary file beside it, fsync, link,
/// unlink, fsync of the folder. A reader or a crash never sees a part of it.
/// @throws Error kIo naming file and reason (a full disk, a read-only folder); nothing of
/// it is left behind
Commit commit_new(const std::filesystem::path& file, std::string_view text);

/// Replaces a file, or makes it: the same with rename, so that it is old or new.
void replace_file(const std::filesystem::path& file, std::string_view text);

/// @param parts the content, in order
void replace_file(const std::filesystem::path& file,
                  std::span<const std::string_view> parts);

/// A file that is written piece by piece, under a temporary name beside its own. Without
/// commit() nothing of it stays. [one thread at a time]
class GrowingFile {
 public:
  /// @throws Error kIo naming file and reason, as all its functions
  explicit GrowingFile(std::filesystem::path target);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  void append(std::string_view bytes);

  /// Appends bytes of another file, which stays as it is.
  void append(const GrowingFile& other, uint64_t offset, uint64_t count);

  /// Writes over bytes that are there.
  void overwrite(uint64_t offset, std::string_view bytes);

  [[nodiscard]] uint64_t size() const { return size_; }

  /// Replaces the target, or makes it: fsync, rename, fsync of the folder.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  int file_ = -1;
  uint64_t size_ = 0;
};

/// @throws Error kIo where it cannot be read
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

/// Makes a folder and those above it.
/// @throws Error kIo naming folder and reason
void make_folder(const std::filesystem::path& folder);

/// Removes temporary files that a killed program left in a folder.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace sizewise::running

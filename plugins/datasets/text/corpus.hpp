#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sizewise::datasets {

/// Whether a glob, or one of several with commas between, matches a file: its name, or
/// its path from the folder where the glob has a /. [any thread]
[[nodiscard]] bool matches(std::string_view patterns, const std::string& relative_path);

/// The files of a folder, and of those in it, that match, sorted by their paths from it
/// byte by byte; hidden files and folders are passed over, links to folders not followed.
/// @throws Error kIo where a folder cannot be read, kInput where no file matches
[[nodiscard]] std::vector<std::filesystem::path> matching_files(
    const std::filesystem::path& folder, std::string_view patterns);

/// The bytes of a file, or of a folder's matching files one after the other.
/// @throws Error kInput where the path is missing, neither file nor folder, or holds no
///   bytes; kIo where it cannot be read
[[nodiscard]] std::string read_corpus(const std::filesystem::path& path,
                                      std::string_view patterns);

}  // namespace sizewise::datasets

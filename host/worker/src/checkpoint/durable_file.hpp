#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace sizewise::checkpoint {

/// Writes a file so that its name holds either the whole new content or what it held
/// before, also after a crash: a temporary file beside it, flushed to the disk, takes its
/// name, and the folder is flushed.
/// @param parts the content, in order
/// @throws Error kIo naming the file where the system refuses; nothing is left behind
void write_durably(const std::filesystem::path& path,
                   const std::vector<std::string_view>& parts);

}  // namespace sizewise::checkpoint

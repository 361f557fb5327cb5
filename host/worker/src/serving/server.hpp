#pragma once

#include <filesystem>
#include <string>

namespace sizewise::serving {

/// Answers the frames of a descriptor on another until it closes or `shutdown` comes.
/// @throws Error kIo where a frame cannot be read, or the other side is gone
void serve(int read_descriptor, int write_descriptor);

/// Answers one request from a file, for a person with a debugger. Progress goes to
/// standard error. @returns the result as JSON text
/// @throws Error kInput where the file is no request, else what the request meets
[[nodiscard]] std::string answer_file(const std::filesystem::path& path);

}  // namespace sizewise::serving

#pragma once

#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "running/durable_file.hpp"

namespace sizewise::running {

/// What `read` makes of the text of a config file; a fault in it names the file.
/// @throws Error kIo where the file cannot be read, else what `read` throws
template <class Read>
auto read_config(const std::filesystem::path& path, Read&& read)
    -> decltype(read(std::string())) {
  const std::string text = read_file(path);
  try {
    return read(text);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: {}", path.string(), error.message()),
                error.suggestion());
  }
}

}  // namespace sizewise::running

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sizewise {

/// SHA-256 in lower-case hexadecimal. Source: FIPS 180-4; computed by OpenSSL. [any
/// thread]
[[nodiscard]] std::string sha256_of_text(std::string_view text);

/// The same of a file's bytes. @throws Error kIo where the file cannot be read
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace sizewise

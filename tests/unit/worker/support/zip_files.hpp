#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <zip.h>

namespace sizewise::test {

using ZipEntries = std::vector<std::pair<std::string, std::string>>;

/// Writes a zip archive of names and contents.
inline void write_zip(const std::filesystem::path& path,
                      const ZipEntries& entries,
                      zip_int32_t method = ZIP_CM_STORE) {
  int fault = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &fault);
  if (archive == nullptr) {
    throw std::runtime_error("no zip archive");
  }
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    if (index < 0 || zip_set_file_compression(
                         archive, static_cast<zip_uint64_t>(index), method, 0) != 0) {
      throw std::runtime_error("no zip entry");
    }
  }
  if (zip_close(archive) != 0) {
    throw std::runtime_error("no whole zip archive");
  }
}

}  // namespace sizewise::test

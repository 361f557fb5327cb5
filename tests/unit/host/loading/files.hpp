#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::loading {

/// A plugin of tests/plugins.
inline std::filesystem::path test_plugin(const std::string& id) {
  return std::filesystem::path(SIZEWISE_TEST_PLUGINS) / (id + ".so");
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  EXPECT_TRUE(file) << path;
  return bytes.str();
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file) << path;
}

/// The bytes with every `from` replaced by a `to` of the same length.
inline std::string patched(std::string bytes,
                           std::string_view from,
                           std::string_view to) {
  EXPECT_EQ(from.size(), to.size());
  std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  for (; at != std::string::npos; at = bytes.find(from, at + to.size())) {
    bytes.replace(at, from.size(), to);
  }
  return bytes;
}

/// What a call refuses with; fails where it refuses nothing.
template <class Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorCode::kInternal, "(no error)"};
}

/// A folder that only this user may write, removed at the end.
class ScratchFolder : public ::testing::Test {
 public:
  ~ScratchFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

 protected:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sizewise-XXXXXX");
    folder_ = ::mkdtemp(name.data());
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Copies a plugin of tests/plugins to `name` in the folder.
  std::filesystem::path copy_plugin(const std::string& id, const std::string& name) {
    const std::filesystem::path to = folder_ / name;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy_file(test_plugin(id), to);
    return to;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sizewise::loading

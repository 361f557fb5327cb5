#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace sizewise::testing {

/// A folder that goes with its object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "sizewise-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// Gives the script to tests/integration/scripted_worker.py (workers started later read
/// it) and returns the program's path.
inline std::filesystem::path script_worker(const TemporaryFolder& folder,
                                           const nlohmann::json& script) {
  const std::filesystem::path file = folder.path() / "script.json";
  write_text(file, script.dump());
  ::setenv("SCRIPTED_WORKER", file.c_str(), 1);
  return SIZEWISE_SCRIPTED_WORKER;
}

}  // namespace sizewise::testing

#include "quantizing/quantized_config_file.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/parameter_name.hpp"
#include "running/durable_file.hpp"

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;

/// The text of a config.json, which is never longer than one may be.
std::string config_text(const fs::path& path) {
  std::error_code fault;
  const uint64_t bytes = fs::file_size(path, fault);
  if (!fault && bytes > kLongestConfigBytes) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            "{}: has {} bytes; allowed: {}", path.string(), bytes, kLongestConfigBytes));
  }
  return running::read_file(path);
}

}  // namespace

void note_weight(StoredWeight weight, QuantizationConfig& config) {
  if (!is_shared(weight)) {
    config.ignored.push_back(module_of(weight.name));
  }
  config.weights.push_back(std::move(weight));
}

void note_other(const std::string& name,
                int64_t dimensions,
                bool is_floating,
                QuantizationConfig& config) {
  config.others.push_back(name);
  // Readers that choose layers by their class must be told which are none.
  if (is_floating && dimensions >= 2 && module_of(name) != name) {
    config.ignored.push_back(module_of(name));
  }
}

void write_config(const fs::path& folder, std::string_view text) {
  running::replace_file(folder / kConfigFile, text);
}

void remove_config(const fs::path& folder) {
  std::error_code fault;
  fs::remove(folder / kConfigFile, fault);
  if (fault) {
    throw Error(ErrorCode::kIo,
                fmt::format("{}: cannot be removed: {}",
                            (folder / kConfigFile).string(),
                            fault.message()),
                "check that the folder is yours to write");
  }
}

QuantizationConfig read_config(const fs::path& folder) {
  const fs::path path = folder / kConfigFile;
  return parse_config(config_text(path), path.string());
}

bool has_config(const fs::path& folder) {
  const fs::path path = folder / kConfigFile;
  std::error_code fault;
  return fs::is_regular_file(path, fault) && has_quantization_config(config_text(path));
}

}  // namespace sizewise::quantizing

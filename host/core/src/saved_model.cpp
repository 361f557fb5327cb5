#include "saved_model.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "planning/processors.hpp"
#include "running/durable_file.hpp"
#include "tables/json_values.hpp"

namespace sizewise {

using nlohmann::json;

json read_facts(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(folder / kFactsFile, ignored)) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{} holds no model: it has no {}", folder.string(), kFactsFile),
        "make one with `sizewise train ... --output DIR`");
  }
  const json facts = json::parse(running::read_file(folder / kFactsFile), nullptr, false);
  if (!facts.is_object() || !facts.contains("model") || !facts.contains("loss") ||
      !facts.contains("dataset")) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} is damaged", (folder / kFactsFile).string()),
                "train the model again");
  }
  return facts;
}

bool is_quantized(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(folder / kFormatFile, ignored)) {
    return false;
  }
  const json format =
      json::parse(running::read_file(folder / kFormatFile), nullptr, false);
  return format.is_object() && format.contains("quantization_config");
}

void check_output(const std::filesystem::path& output,
                  const std::vector<std::string>& marks) {
  std::error_code ignored;
  if (std::filesystem::exists(output, ignored) &&
      !std::filesystem::is_directory(output, ignored)) {
    throw Error(ErrorCode::kInput,
                fmt::format("the output {} is a file", output.string()),
                "name a folder with --output");
  }
  const bool is_taken =
      is_quantized(output) ||
      std::any_of(marks.begin(), marks.end(), [&](const std::string& mark) {
        return std::filesystem::exists(output / mark, ignored);
      });
  if (is_taken) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} holds a model already", output.string()),
                "name another folder with --output, or remove that one");
  }
}

PluginChoice choice_or(const PluginChoice& given,
                       const json& facts,
                       const std::string& kind) {
  if (!given.plugin.empty()) {
    return given;
  }
  try {
    const json& entry = facts.at(kind);
    return {entry.at("plugin").get<std::string>(),
            Options::from_json(entry.value("options", json::object()).dump())};
  } catch (const json::exception& fault) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} does not name the {}'s plugin: {}",
                            kFactsFile,
                            kind,
                            tables::json_fault(fault)),
                fmt::format("name it with --{} ID, or train the model again", kind));
  }
}

int threads_or_all(int threads) {
  return threads > 0 ? threads : planning::usable_cores();
}

void say_warnings(const std::vector<std::string>& warnings, const Callbacks& callbacks) {
  for (const std::string& warning : warnings) {
    if (callbacks.warning) {
      callbacks.warning(warning);
    }
  }
}

}  // namespace sizewise

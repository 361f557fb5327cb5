#include "checkpoint/unique_json.hpp"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "tables/json_values.hpp"

namespace sizewise::checkpoint {

nlohmann::json parse_unique_json(std::string_view text) {
  using nlohmann::json;
  std::vector<std::set<std::string>> names;
  const auto watch = [&names](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      names.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      names.pop_back();
    } else if (event == json::parse_event_t::key &&
               !names.back().insert(parsed.get<std::string>()).second) {
      throw Error(ErrorCode::kInput,
                  fmt::format("it names '{}' twice", parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kInput, tables::json_fault(error));
  }
}

}  // namespace sizewise::checkpoint

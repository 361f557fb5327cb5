#include "planning/object_fields.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;

[[noreturn]] void refuse_value(std::string_view name,
                               const json& value,
                               std::string_view allowed) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("{} is {}; allowed: {}", name, value.dump(), allowed),
              "correct it, or leave it out for the default");
}

}  // namespace

void check_fields(const json& object,
                  const std::vector<std::string>& known,
                  std::string_view what) {
  if (!object.is_object()) {
    refuse_value(fmt::format("'{}'", what), object, "a JSON object");
  }
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) {
      continue;
    }
    const std::string near = nearest_word(item.key(), known);
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} has an unknown field '{}'", what, item.key()),
                near.empty() ? fmt::format("known fields: {}", fmt::join(known, ", "))
                             : fmt::format("did you mean '{}'?", near));
  }
}

void read_choice(const json& object, const char* field, PluginChoice& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& value = object.at(field);
  if (value.is_string()) {
    to = {value.get<std::string>(), {}};
    return;
  }
  check_fields(value, {"plugin", "options"}, field);
  if (!value.contains("plugin") || !value.at("plugin").is_string()) {
    refuse_value(
        fmt::format("'{}'", field), value, R"({"plugin": id or path, "options": {...}})");
  }
  to.plugin = value.at("plugin").get<std::string>();
  to.options = Options::from_json(value.value("options", json::object()).dump());
}

void Fields::read_number(const char* field, double least, double most, double& to) const {
  const json* const value = find(field);
  if (value == nullptr) {
    return;
  }
  if (!value->is_number() || value->get<double>() < least ||
      value->get<double>() > most) {
    refuse(field, *value, fmt::format("a number, {} to {}", least, most));
  }
  to = value->get<double>();
}

int64_t Fields::integer(const char* field, int64_t least, int64_t most) const {
  const json& value = *find(field);
  const bool fits = value.is_number_unsigned()
                        ? value.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : value.is_number_integer();
  if (!fits || value.get<int64_t>() < least) {
    refuse(field, value, fmt::format("an integer, {} to {}", least, most));
  }
  return value.get<int64_t>();
}

void Fields::read_flag(const char* field, bool& to) const {
  const json* const value = find(field);
  if (value == nullptr) {
    return;
  }
  if (!value->is_boolean()) {
    refuse(field, *value, "true, false");
  }
  to = value->get<bool>();
}

void Fields::read_word(const char* field,
                       const std::vector<std::string>& allowed,
                       std::string& to) const {
  const json* const value = find(field);
  if (value == nullptr) {
    return;
  }
  const bool fits =
      value->is_string() &&
      (allowed.empty() ||
       std::find(allowed.begin(), allowed.end(), value->get<std::string>()) !=
           allowed.end());
  if (!fits) {
    refuse(field,
           *value,
           allowed.empty() ? std::string("a text")
                           : fmt::format("{}", fmt::join(allowed, ", ")));
  }
  to = value->get<std::string>();
}

void Fields::read_words(const char* field, std::vector<std::string>& to) const {
  const json* const list = find(field);
  if (list == nullptr) {
    return;
  }
  const bool fits =
      list->is_array() && std::all_of(list->begin(), list->end(), [](const json& value) {
        return value.is_string();
      });
  if (!fits) {
    refuse(field, *list, "a list of texts");
  }
  to = list->get<std::vector<std::string>>();
}

void Fields::read_budgets(const char* field, std::vector<Flops>& to) const {
  const json* const list = find(field);
  if (list == nullptr) {
    return;
  }
  const bool fits =
      list->is_array() && std::all_of(list->begin(), list->end(), [](const json& value) {
        return value.is_number() && value.get<double>() > 0;
      });
  if (!fits) {
    refuse(field, *list, "a list of positive numbers, in FLOPs");
  }
  to.clear();
  for (const json& value : *list) {
    to.emplace_back(value.get<double>());
  }
}

std::string Fields::name_of(std::string field) const {
  if (names_ == FieldNames::kFields) {
    return fmt::format("'{}'", field);
  }
  std::replace(field.begin(), field.end(), '_', '-');
  return "--" + field;
}

const json* Fields::find(const char* field) const {
  const auto found = object_.find(field);
  return found == object_.end() ? nullptr : &*found;
}

void Fields::refuse(const char* field,
                    const json& value,
                    std::string_view allowed) const {
  refuse_value(name_of(field), value, allowed);
}

}  // namespace sizewise::planning

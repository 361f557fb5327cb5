#include "sizewise/dataset_info.hpp"

#include <algorithm>

#include "sizewise/error.hpp"

#include "json.hpp"

namespace sizewise {
namespace {

// One list of the fields, so that reading and writing cannot differ.
template <class Info, class Visit>
void visit_fields(Info& info, Visit visit) {
  visit("unit", info.unit);
  visit("units_per_sample", info.units_per_sample);
  visit("train_samples", info.train_samples);
  visit("validation_samples", info.validation_samples);
  visit("input_shape", info.input_shape);
  visit("input_type", info.input_type);
  visit("target_shape", info.target_shape);
  visit("target_type", info.target_type);
  visit("vocabulary", info.vocabulary);
  visit("context", info.context);
  visit("channels", info.channels);
  visit("classes", info.classes);
}

bool has_type_of(const nlohmann::json& value, const std::string& /*field*/) {
  return value.is_string();
}

/// nlohmann would cut 1.5 down to 1.
bool has_type_of(const nlohmann::json& value, int64_t /*field*/) {
  return value.is_number_integer();
}

bool has_type_of(const nlohmann::json& value, const std::vector<int64_t>& /*field*/) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const nlohmann::json& item) {
           return item.is_number_integer();
         });
}

std::string type_name(const std::string& /*field*/) {
  return "a text";
}
std::string type_name(int64_t /*field*/) {
  return "an integer";
}
std::string type_name(const std::vector<int64_t>& /*field*/) {
  return "a list of integers";
}

}  // namespace

DatasetInfo DatasetInfo::from_json(std::string_view text) {
  const nlohmann::json object = detail::parse_json(text, "dataset info");
  if (!object.is_object()) {
    throw Error(ErrorCode::kInput,
                "dataset info must be a JSON object, received " + object.dump());
  }
  DatasetInfo info;
  visit_fields(info, [&](const char* name, auto& field) {
    if (!object.contains(name)) {
      return;
    }
    const nlohmann::json& value = object.at(name);
    if (!has_type_of(value, field)) {
      throw Error(ErrorCode::kInput,
                  "dataset info: field '" + std::string(name) + "' is " + value.dump() +
                      "; allowed: " + type_name(field));
    }
    value.get_to(field);
  });
  return info;
}

std::string DatasetInfo::to_json() const {
  nlohmann::json object = nlohmann::json::object();
  visit_fields(*this, [&](const char* name, const auto& field) {
    object[name] = field;
  });
  return object.dump();
}

}  // namespace sizewise

#include "sizewise/dataset_info.hpp"

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
    try {
      object.at(name).get_to(field);
    } catch (const nlohmann::json::exception& error) {
      throw Error(ErrorCode::kInput,
                  "dataset info: field '" + std::string(name) + "' is " +
                      object.at(name).dump() + ": " + error.what());
    }
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

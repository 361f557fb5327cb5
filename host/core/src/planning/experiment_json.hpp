#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/experiment.hpp"

#include "planning/object_fields.hpp"

// An Experiment as JSON: the shape of experiment.json, of --config, and of a worker's
// requests.

namespace sizewise::planning {

/// @throws Error kConfiguration naming the field, the value received and the values
/// allowed
[[nodiscard]] Recipe recipe_from_json(const nlohmann::json& object,
                                      FieldNames names = FieldNames::kFields);
[[nodiscard]] nlohmann::json recipe_to_json(const Recipe& recipe);

/// @throws Error as recipe_from_json()
[[nodiscard]] Experiment experiment_from_json(const nlohmann::json& object);
[[nodiscard]] nlohmann::json experiment_to_json(const Experiment& experiment);

/// SHA-256 of what an experiment says, however its file is laid out.
[[nodiscard]] std::string experiment_hash(const Experiment& experiment);

}  // namespace sizewise::planning

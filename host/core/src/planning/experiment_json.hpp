#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sizewise/experiment.hpp"

// An Experiment as JSON: the shape of experiment.json, of --config, and of a worker's
// requests.

namespace sizewise::planning {

/// @throws Error kConfiguration naming the field, the value received and the values
/// allowed
[[nodiscard]] Recipe recipe_from_json(const nlohmann::json& object);
[[nodiscard]] nlohmann::json recipe_to_json(const Recipe& recipe);

[[nodiscard]] Experiment experiment_from_json(const nlohmann::json& object);
[[nodiscard]] nlohmann::json experiment_to_json(const Experiment& experiment);

}  // namespace sizewise::planning

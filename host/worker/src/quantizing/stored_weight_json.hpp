#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "quantizing/stored_weight.hpp"

// A weight's entry in `sizewise` of config.json.

namespace sizewise::quantizing {

[[nodiscard]] nlohmann::json json_of(const StoredWeight& weight);

/// @throws Error kInput naming the weight and the field where a field is missing, unknown
///   or not allowed, or contradicts another
[[nodiscard]] StoredWeight stored_weight_of(const nlohmann::json& entry);

}  // namespace sizewise::quantizing

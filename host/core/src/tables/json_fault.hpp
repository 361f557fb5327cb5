#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace sizewise {

/// What nlohmann_json found wrong, in the words of a message: "line 3, column 7:
/// unexpected end of input; expected '}'", "key 'loss' not found".
[[nodiscard]] std::string json_fault(const nlohmann::json::exception& fault);

}  // namespace sizewise

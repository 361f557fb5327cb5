#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

// What every stage does with JSON: numbers that may be absent, and errors and faults.

namespace sizewise::tables {

/// Null where the number is not finite: JSON has no other word for it.
[[nodiscard]] nlohmann::json number_or_null(double number);

/// NaN where the field is absent or no number.
[[nodiscard]] double number_or_nan(const nlohmann::json& object, const char* name);

/// {"code", "message", "suggestion"}.
[[nodiscard]] nlohmann::json error_to_json(const Error& error);

/// What nlohmann_json found wrong, in the words of a message: "line 3, column 7:
/// unexpected end of input; expected '}'", "key 'loss' not found".
[[nodiscard]] std::string json_fault(const nlohmann::json::exception& fault);

/// JSON for programs and people: indented by two, a list of plain values on one line.
/// Text that is not UTF-8 has its bad bytes replaced.
[[nodiscard]] std::string json_text(const nlohmann::json& value);

}  // namespace sizewise::tables

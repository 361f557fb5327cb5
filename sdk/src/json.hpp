#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sizewise/options.hpp"

// Conversions between JSON and the SDK's values; private to the SDK's sources, because no
// type of nlohmann crosses the plugin boundary.

namespace sizewise::detail {

/// Parses JSON text; `what` names it in messages.
/// @throws Error kInput with the line and column of the fault
[[nodiscard]] nlohmann::json parse_json(std::string_view text, std::string_view what);

/// @throws Error kInput where the value is null, an object, or a mixed list
[[nodiscard]] OptionValue option_value_from_json(const nlohmann::json& value,
                                                 std::string_view name);
[[nodiscard]] nlohmann::json option_value_to_json(const OptionValue& value);

/// For messages: the value as JSON text.
[[nodiscard]] std::string to_text(const OptionValue& value);

}  // namespace sizewise::detail

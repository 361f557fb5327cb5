#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace sizewise::checkpoint {

/// Parses JSON that names nothing twice; a parser alone would let the last one win.
/// @throws Error kInput where it is no such JSON
[[nodiscard]] nlohmann::json parse_unique_json(std::string_view text);

}  // namespace sizewise::checkpoint

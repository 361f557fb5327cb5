#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "fitting/interval.hpp"
#include "tables/json_values.hpp"

// Fields of a law's JSON as they are written. Private to this folder.

namespace sizewise::fitting::fields {

using tables::number_or_null;

[[nodiscard]] inline nlohmann::json interval_to_json(const Interval& interval) {
  return nlohmann::json::array(
      {number_or_null(interval.low), number_or_null(interval.high)});
}

[[nodiscard]] inline nlohmann::json interval_or_null(
    const std::optional<Interval>& interval) {
  return interval ? interval_to_json(*interval) : nlohmann::json(nullptr);
}

}  // namespace sizewise::fitting::fields

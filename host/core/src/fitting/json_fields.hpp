#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/fit.hpp"

#include "fitting/interval.hpp"
#include "tables/json_values.hpp"

// Fields of a law's JSON as they are read and written. Private to this folder.

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

[[noreturn]] inline void refuse(std::string_view field, std::string_view allowed) {
  throw Error(ErrorCode::kInput,
              fmt::format("the law's '{}' is missing or is not {}", field, allowed),
              "use the law.json of a run directory, or what sizewise fit --json printed");
}

[[nodiscard]] inline const nlohmann::json& field_of(const nlohmann::json& object,
                                                    const char* name) {
  if (!object.is_object() || !object.contains(name)) {
    refuse(name, "there");
  }
  return object.at(name);
}

[[nodiscard]] inline bool has(const nlohmann::json& object, const char* name) {
  return object.is_object() && object.contains(name) && !object.at(name).is_null();
}

/// NaN for null.
[[nodiscard]] inline double number_of(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = field_of(object, name);
  if (value.is_null()) {
    return FitResult::kUnknown;
  }
  if (!value.is_number()) {
    refuse(name, "a number");
  }
  return value.get<double>();
}

template <class T>
[[nodiscard]] T get_as(const nlohmann::json& object,
                       const char* name,
                       std::string_view allowed) {
  try {
    return field_of(object, name).get<T>();
  } catch (const nlohmann::json::exception&) {
    refuse(name, allowed);
  }
}

/// An end that is null is not bounded.
[[nodiscard]] inline Interval interval_of(const nlohmann::json& value, const char* name) {
  const bool is_pair = value.is_array() && value.size() == 2 &&
                       (value[0].is_number() || value[0].is_null()) &&
                       (value[1].is_number() || value[1].is_null());
  if (!is_pair) {
    refuse(name, "[low, high]");
  }
  return {value[0].is_null() ? -kUnbounded : value[0].get<double>(),
          value[1].is_null() ? kUnbounded : value[1].get<double>()};
}

}  // namespace sizewise::fitting::fields

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"
#include "sizewise/fit.hpp"

#include "fitting/interval.hpp"

// How a law's JSON is read: what is not as fit_report_to_json() writes it is refused with
// its key, what it is and what it may be. Private to this folder.

namespace sizewise::fitting::reading {

/// A value for a message: short whatever it holds.
[[nodiscard]] inline std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kMost = 60;
  if (value.is_array()) {
    return fmt::format("a list of {}", value.size());
  }
  if (value.is_object()) {
    return "an object";
  }
  const std::string text =
      value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

/// @param received what stands there, in words; empty: nothing does
[[noreturn]] inline void refuse_text(std::string_view key,
                                     std::string_view received,
                                     std::string_view allowed) {
  throw Error(
      ErrorCode::kInput,
      received.empty()
          ? fmt::format("the law has no '{}'; allowed: {}", key, allowed)
          : fmt::format("the law's '{}' is {}; allowed: {}", key, received, allowed),
      "use the law.json of a run directory, or what sizewise fit --json printed");
}

[[noreturn]] inline void refuse(std::string_view key,
                                const nlohmann::json& received,
                                std::string_view allowed) {
  refuse_text(key, shown(received), allowed);
}

[[nodiscard]] inline const nlohmann::json& field_of(
    const nlohmann::json& object,
    const char* name,
    std::string_view allowed = "what sizewise fit writes there") {
  if (!object.is_object() || !object.contains(name)) {
    refuse_text(name, "", allowed);
  }
  return object.at(name);
}

[[nodiscard]] inline bool has(const nlohmann::json& object, const char* name) {
  return object.is_object() && object.contains(name) && !object.at(name).is_null();
}

/// NaN for null.
[[nodiscard]] inline double number_of(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = field_of(object, name, "a number");
  if (value.is_null()) {
    return FitResult::kUnknown;
  }
  if (!value.is_number()) {
    refuse(name, value, "a number");
  }
  return value.get<double>();
}

template <class T>
[[nodiscard]] T get_as(const nlohmann::json& object,
                       const char* name,
                       std::string_view allowed) {
  const nlohmann::json& value = field_of(object, name, allowed);
  try {
    return value.get<T>();
  } catch (const nlohmann::json::exception&) {
    refuse(name, value, allowed);
  }
}

[[nodiscard]] inline std::string text_of(const nlohmann::json& object, const char* name) {
  return get_as<std::string>(object, name, "a text");
}

template <class Count>
[[nodiscard]] Count count_of(const nlohmann::json& object,
                             const char* name,
                             Count most = std::numeric_limits<Count>::max()) {
  const std::string allowed = fmt::format("an integer, 0 to {}", most);
  const nlohmann::json& value = field_of(object, name, allowed);
  const bool is_count = value.is_number_integer() &&
                        (value.is_number_unsigned() || value.get<int64_t>() >= 0);
  if (!is_count || value.get<uint64_t>() > static_cast<uint64_t>(most)) {
    refuse(name, value, allowed);
  }
  return value.get<Count>();
}

/// An interval's level; a message calls it 'owner.level'.
[[nodiscard]] inline double level_of(const nlohmann::json& object,
                                     std::string_view owner) {
  constexpr std::string_view kAllowed = "a number above 0 and below 1";
  const nlohmann::json& value = field_of(object, "level", kAllowed);
  const double level = value.is_number() ? value.get<double>() : FitResult::kUnknown;
  if (!(level > 0.0 && level < 1.0)) {
    refuse(fmt::format("{}.level", owner), value, kAllowed);
  }
  return level;
}

/// An end that is null is not bounded.
[[nodiscard]] inline Interval interval_of(const nlohmann::json& value, const char* name) {
  const bool is_pair = value.is_array() && value.size() == 2 &&
                       (value[0].is_number() || value[0].is_null()) &&
                       (value[1].is_number() || value[1].is_null());
  if (!is_pair) {
    refuse(name, value, "[low, high]");
  }
  return {value[0].is_null() ? -kUnbounded : value[0].get<double>(),
          value[1].is_null() ? kUnbounded : value[1].get<double>()};
}

}  // namespace sizewise::fitting::reading

#include "tables/json_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace sizewise::tables {
namespace {

/// Removes what stands from `begin` to the end of `end`, where both are there.
void cut(std::string& text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  const std::size_t to = from == std::string::npos ? from : text.find(end, from);
  if (to != std::string::npos) {
    text.erase(from, to + end.size() - from);
  }
}

std::string on_one_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_plain_list(const nlohmann::json& value) {
  return value.is_array() &&
         std::none_of(value.begin(), value.end(), [](const nlohmann::json& element) {
           return element.is_structured();
         });
}

void write_indented(const nlohmann::json& value, int depth, std::string& text) {
  if (!value.is_structured() || value.empty()) {
    text += on_one_line(value);
    return;
  }
  const bool on_lines = !is_plain_list(value);
  const auto line_break = [&](int to) {
    if (on_lines) {
      text += '\n' + std::string(2 * static_cast<std::size_t>(to), ' ');
    }
  };
  text += value.is_object() ? '{' : '[';
  bool is_first = true;
  for (const auto& [key, element] : value.items()) {
    if (!is_first) {
      text += on_lines ? "," : ", ";
    }
    is_first = false;
    line_break(depth + 1);
    if (value.is_object()) {
      text += on_one_line(key) + ": ";
    }
    write_indented(element, depth + 1, text);
  }
  line_break(depth);
  text += value.is_object() ? '}' : ']';
}

}  // namespace

nlohmann::json number_or_null(double number) {
  return std::isfinite(number) ? nlohmann::json(number) : nlohmann::json();
}

nlohmann::json error_to_json(const Error& error) {
  return {{"code", to_string(error.code())},
          {"message", error.message()},
          {"suggestion", error.suggestion()}};
}

double number_or_nan(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : NAN;
}

std::string json_fault(const nlohmann::json::exception& fault) {
  std::string text = fault.what();
  cut(text, "[json.exception.", "] ");
  cut(text, "parse error at ", "at ");
  cut(text, "syntax error while parsing ", " - ");
  return text.starts_with("cannot use ")
             ? "a value in it is of another type than it should be"
             : text;
}

std::string json_text(const nlohmann::json& value) {
  std::string text;
  write_indented(value, 0, text);
  return text;
}

}  // namespace sizewise::tables

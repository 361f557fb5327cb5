#include "tables/json_values.hpp"

#include <cmath>
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

}  // namespace

nlohmann::json number_or_null(double number) {
  return std::isfinite(number) ? nlohmann::json(number) : nlohmann::json();
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

}  // namespace sizewise::tables

#include "sizewise/options.hpp"

#include "sizewise/error.hpp"

#include "json.hpp"

namespace sizewise {
namespace {

template <class T>
constexpr std::string_view kTypeName = "";
template <>
constexpr std::string_view kTypeName<bool> = "a boolean";
template <>
constexpr std::string_view kTypeName<int64_t> = "an integer";
template <>
constexpr std::string_view kTypeName<double> = "a number";
template <>
constexpr std::string_view kTypeName<std::string> = "a text";
template <>
constexpr std::string_view kTypeName<std::vector<int64_t>> = "a list of integers";
template <>
constexpr std::string_view kTypeName<std::vector<double>> = "a list of numbers";
template <>
constexpr std::string_view kTypeName<std::vector<std::string>> = "a list of texts";

}  // namespace

Options::Options() = default;
Options::Options(const Options&) = default;
Options& Options::operator=(const Options&) = default;
Options::~Options() = default;

Options Options::from_json(std::string_view text) {
  const nlohmann::json object = detail::parse_json(text, "options");
  if (!object.is_object()) {
    throw Error(ErrorCode::kInput,
                "options must be a JSON object, received " + object.dump());
  }
  Options options;
  for (const auto& [name, value] : object.items()) {
    options.set(name, detail::option_value_from_json(value, name));
  }
  return options;
}

std::string Options::to_json() const {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : values_) {
    object[name] = detail::option_value_to_json(value);
  }
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Options::set(std::string name, OptionValue value) {
  values_.insert_or_assign(std::move(name), std::move(value));
}

bool Options::has(std::string_view name) const {
  return values_.find(name) != values_.end();
}

template <class T>
T Options::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw Error(ErrorCode::kConfiguration,
                "option '" + std::string(name) + "' is not set");
  }
  if (const T* value = std::get_if<T>(&found->second)) {
    return *value;
  }
  if constexpr (std::is_same_v<T, double>) {
    if (const auto* integer = std::get_if<int64_t>(&found->second)) {
      return static_cast<double>(*integer);
    }
  }
  if constexpr (std::is_same_v<T, std::vector<double>>) {
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&found->second)) {
      return {integers->begin(), integers->end()};
    }
  }
  throw Error(ErrorCode::kConfiguration,
              "option '" + std::string(name) + "' is " + detail::to_text(found->second) +
                  ", not " + std::string(kTypeName<T>));
}

template bool Options::get<bool>(std::string_view) const;
template int64_t Options::get<int64_t>(std::string_view) const;
template double Options::get<double>(std::string_view) const;
template std::string Options::get<std::string>(std::string_view) const;
template std::vector<int64_t> Options::get<std::vector<int64_t>>(std::string_view) const;
template std::vector<double> Options::get<std::vector<double>>(std::string_view) const;
template std::vector<std::string> Options::get<std::vector<std::string>>(
    std::string_view) const;

}  // namespace sizewise

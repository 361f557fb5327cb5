#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/options.hpp"

#include "json.hpp"

namespace sizewise {
namespace {

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc{} && end == text.data() + text.size()) {
    return value;
  }
  return std::nullopt;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0.0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc{} && end == text.data() + text.size() && std::isfinite(value)) {
    return value;
  }
  return std::nullopt;
}

std::optional<OptionValue> parse_scalar(std::string_view type, std::string_view text) {
  if (type == "boolean") {
    if (text == "true" || text == "1" || text == "yes" || text == "on") {
      return true;
    }
    if (text == "false" || text == "0" || text == "no" || text == "off") {
      return false;
    }
    return std::nullopt;
  }
  if (type == "integer") {
    if (const auto value = parse_integer(text)) {
      return *value;
    }
    // 1e6 is how people write a million.
    const auto number = parse_number(text);
    if (number && std::floor(*number) == *number && std::abs(*number) < 9e15) {
      return static_cast<int64_t>(*number);
    }
    return std::nullopt;
  }
  if (type == "number") {
    if (const auto value = parse_number(text)) {
      return *value;
    }
    return std::nullopt;
  }
  return std::string(text);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return parts;
}

template <class T>
std::optional<OptionValue> parse_list(std::string_view item_type, std::string_view text) {
  std::vector<T> list;
  for (const std::string_view part : split(text)) {
    const auto item = parse_scalar(item_type, part);
    if (!item) {
      return std::nullopt;
    }
    list.push_back(std::get<T>(*item));
  }
  return list;
}

std::optional<OptionValue> parse_typed(const OptionSpec& spec, std::string_view text) {
  if (spec.type != "array") {
    return parse_scalar(spec.type, text);
  }
  if (spec.item_type == "integer") {
    return parse_list<int64_t>("integer", text);
  }
  if (spec.item_type == "number") {
    return parse_list<double>("number", text);
  }
  return parse_list<std::string>("string", text);
}

/// The same of a list, by the type of its items.
std::optional<OptionValue> convert_list(const OptionSpec& spec,
                                        const OptionValue& value) {
  const auto* integers = std::get_if<std::vector<int64_t>>(&value);
  if (integers != nullptr && spec.item_type == "number") {
    return std::vector<double>(integers->begin(), integers->end());
  }
  // An empty list in JSON has no type of its own.
  if (integers != nullptr && integers->empty() && spec.item_type == "string") {
    return std::vector<std::string>{};
  }
  const bool fits = (spec.item_type == "integer" && integers != nullptr) ||
                    (spec.item_type == "number" &&
                     std::holds_alternative<std::vector<double>>(value)) ||
                    (spec.item_type == "string" &&
                     std::holds_alternative<std::vector<std::string>>(value));
  return fits ? std::optional(value) : std::nullopt;
}

/// The value as the declared type, or nothing where it is of another.
std::optional<OptionValue> convert(const OptionSpec& spec, const OptionValue& value) {
  const auto held = [&]<class T>(std::in_place_type_t<T>) {
    return std::holds_alternative<T>(value);
  };
  if (spec.type == "number" && held(std::in_place_type<int64_t>)) {
    return static_cast<double>(std::get<int64_t>(value));
  }
  if (spec.type == "integer" && held(std::in_place_type<double>)) {
    const double number = std::get<double>(value);
    if (std::floor(number) == number && std::abs(number) < 9e15) {
      return static_cast<int64_t>(number);
    }
    return std::nullopt;
  }
  if (spec.type == "array") {
    return convert_list(spec, value);
  }
  const bool fits = (spec.type == "boolean" && held(std::in_place_type<bool>)) ||
                    (spec.type == "integer" && held(std::in_place_type<int64_t>)) ||
                    (spec.type == "number" && held(std::in_place_type<double>)) ||
                    (spec.type == "string" && held(std::in_place_type<std::string>));
  return fits ? std::optional(value) : std::nullopt;
}

bool in_range(const OptionSpec& spec, double value) {
  return (!spec.minimum || value >= *spec.minimum) &&
         (!spec.maximum || value <= *spec.maximum);
}

bool is_allowed(const OptionSpec& spec, const std::string& value) {
  return spec.allowed.empty() ||
         std::find(spec.allowed.begin(), spec.allowed.end(), value) != spec.allowed.end();
}

bool satisfies(const OptionSpec& spec, const OptionValue& value) {
  const auto numbers_in_range = [&](const auto& list) {
    return std::all_of(list.begin(), list.end(), [&](auto item) {
      return in_range(spec, static_cast<double>(item));
    });
  };
  if (const auto* text = std::get_if<std::string>(&value)) {
    return is_allowed(spec, *text);
  }
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return in_range(spec, static_cast<double>(*integer)) &&
           is_allowed(spec, std::to_string(*integer));
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return in_range(spec, *number);
  }
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
    return numbers_in_range(*integers);
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    return numbers_in_range(*numbers);
  }
  return true;
}

[[noreturn]] void refuse_value(const std::string& plugin,
                               const OptionSpec& spec,
                               std::string_view received) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("option '{}' of plugin '{}' is {}; allowed: {}",
                          spec.name,
                          plugin,
                          received.empty() ? "''" : received,
                          spec.summary()),
              fmt::format("run `sizewise plugin show {}` for all its options", plugin));
}

[[noreturn]] void refuse_name(const std::string& plugin,
                              const std::vector<OptionSpec>& specs,
                              std::string_view name) {
  std::vector<std::string> known;
  known.reserve(specs.size());
  for (const OptionSpec& spec : specs) {
    known.push_back(spec.name);
  }
  const std::string near = nearest_word(name, known);
  const auto spec = std::find_if(specs.begin(), specs.end(), [&](const OptionSpec& s) {
    return s.name == near;
  });
  std::string hint;
  if (spec != specs.end()) {
    hint = fmt::format("; did you mean '{}' ({})?", near, spec->summary());
  } else if (known.empty()) {
    hint = "; it has no options";
  } else {
    hint = fmt::format("; its options are {}", fmt::join(known, ", "));
  }
  throw Error(ErrorCode::kConfiguration,
              fmt::format("unknown option '{}' of plugin '{}'{}", name, plugin, hint),
              fmt::format("run `sizewise plugin show {}` for all its options", plugin));
}

}  // namespace

std::string OptionSpec::summary() const {
  std::string text = type == "array" ? fmt::format("list of {}s", item_type) : type;
  if (!allowed.empty()) {
    text += fmt::format(", one of {}", fmt::join(allowed, ", "));
  }
  if (minimum && maximum) {
    text += fmt::format(", {} to {}", *minimum, *maximum);
  } else if (minimum) {
    text += fmt::format(", at least {}", *minimum);
  } else if (maximum) {
    text += fmt::format(", at most {}", *maximum);
  }
  if (default_value) {
    text += fmt::format(", default {}", detail::to_text(*default_value));
  } else if (required) {
    text += ", required";
  }
  return text;
}

OptionSchema::OptionSchema() = default;
OptionSchema::OptionSchema(std::string plugin_id, std::vector<OptionSpec> specs)
    : plugin_id_(std::move(plugin_id)), specs_(std::move(specs)) {}
OptionSchema::OptionSchema(const OptionSchema&) = default;
OptionSchema& OptionSchema::operator=(const OptionSchema&) = default;
OptionSchema::~OptionSchema() = default;

const OptionSpec* OptionSchema::find(std::string_view name) const {
  for (const OptionSpec& spec : specs_) {
    if (spec.name == name) {
      return &spec;
    }
  }
  return nullptr;
}

OptionValue OptionSchema::parse(std::string_view name, std::string_view text) const {
  const OptionSpec* spec = find(name);
  if (spec == nullptr) {
    refuse_name(plugin_id_, specs_, name);
  }
  const std::optional<OptionValue> value = parse_typed(*spec, text);
  if (!value || !satisfies(*spec, *value)) {
    refuse_value(plugin_id_, *spec, text);
  }
  return *value;
}

Options OptionSchema::resolve(const Options& given) const {
  Options resolved;
  for (const auto& [name, value] : given.values()) {
    const OptionSpec* spec = find(name);
    if (spec == nullptr) {
      refuse_name(plugin_id_, specs_, name);
    }
    const std::optional<OptionValue> converted = convert(*spec, value);
    if (!converted || !satisfies(*spec, *converted)) {
      refuse_value(plugin_id_, *spec, detail::to_text(value));
    }
    resolved.set(name, *converted);
  }
  for (const OptionSpec& spec : specs_) {
    if (resolved.has(spec.name)) {
      continue;
    }
    if (spec.required) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("plugin '{}' needs option '{}' ({})",
                              plugin_id_,
                              spec.name,
                              spec.summary()),
                  fmt::format("{}", spec.description));
    }
    if (spec.default_value) {
      resolved.set(spec.name, *spec.default_value);
    }
  }
  return resolved;
}

}  // namespace sizewise

#include "sizewise/manifest.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "json.hpp"

namespace sizewise {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 6> kKindNames = {
    "model", "dataset", "loss", "sweep", "fit", "quantizer"};
constexpr std::array<std::string_view, 5> kTypes = {
    "boolean", "integer", "number", "string", "array"};
constexpr int64_t kLargestSize = int64_t{1} << 40U;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::kPlugin,
              "plugin.json: " + message,
              "see docs/writing-a-model.md for the fields of a manifest");
}

std::string text_field(const json& object, const char* name, std::string_view where) {
  if (!object.contains(name) || !object.at(name).is_string() ||
      object.at(name).get_ref<const std::string&>().empty()) {
    refuse(fmt::format("{} needs \"{}\", a text that is not empty", where, name));
  }
  return object.at(name).get<std::string>();
}

void check_known_fields(const json& object,
                        const std::vector<std::string>& known,
                        std::string_view where) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) == known.end()) {
      const std::string near = nearest_word(item.key(), known);
      refuse(fmt::format("{} has an unknown field \"{}\"{}",
                         where,
                         item.key(),
                         near.empty() ? fmt::format("; known: {}", fmt::join(known, ", "))
                                      : fmt::format("; did you mean \"{}\"?", near)));
    }
  }
}

void check_id(const std::string& id) {
  const auto allowed = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
           letter == '_';
  };
  if (id.size() > 64 || id.front() < 'a' || id.front() > 'z' ||
      !std::all_of(id.begin(), id.end(), allowed)) {
    refuse(
        fmt::format("\"id\" is '{}'; allowed: a letter, then letters, digits and _, "
                    "lower case, at most 64",
                    id));
  }
}

std::optional<double> number_field(const json& object,
                                   const char* name,
                                   std::string_view where) {
  if (!object.contains(name)) {
    return std::nullopt;
  }
  if (!object.at(name).is_number()) {
    refuse(fmt::format(
        "{}: \"{}\" is {}, not a number", where, name, object.at(name).dump()));
  }
  return object.at(name).get<double>();
}

/// The allowed values of an option, as texts.
std::vector<std::string> parse_enum(const OptionSpec& spec,
                                    const json& list,
                                    std::string_view where) {
  const bool is_integer = spec.type == "integer";
  const auto fits = [&](const json& value) {
    return is_integer ? value.is_number_integer() : value.is_string();
  };
  if ((!is_integer && spec.type != "string") || !list.is_array() || list.empty() ||
      !std::all_of(list.begin(), list.end(), fits)) {
    refuse(
        fmt::format("{}: \"enum\" is a list of texts, for options of type string, or "
                    "of integers, for options of type integer",
                    where));
  }
  std::vector<std::string> allowed;
  for (const json& value : list) {
    allowed.push_back(is_integer ? value.dump() : value.get<std::string>());
  }
  return allowed;
}

OptionSpec parse_option(const std::string& name, const json& object) {
  const std::string where = fmt::format("option \"{}\"", name);
  if (!object.is_object()) {
    refuse(where + " must be an object");
  }
  check_known_fields(object,
                     {"type",
                      "items",
                      "description",
                      "default",
                      "minimum",
                      "maximum",
                      "enum",
                      "required"},
                     where);
  OptionSpec spec;
  spec.name = name;
  spec.type = text_field(object, "type", where);
  if (std::find(kTypes.begin(), kTypes.end(), spec.type) == kTypes.end()) {
    refuse(fmt::format(
        "{}: \"type\" is '{}'; allowed: {}", where, spec.type, fmt::join(kTypes, ", ")));
  }
  if (spec.type == "array") {
    const json items = object.value("items", json::object());
    spec.item_type = items.is_object() ? items.value("type", "") : "";
    if (spec.item_type != "integer" && spec.item_type != "number" &&
        spec.item_type != "string") {
      refuse(where + R"(: "items" must be {"type": "integer"}, "number" or "string")");
    }
  }
  spec.description = text_field(object, "description", where);
  spec.minimum = number_field(object, "minimum", where);
  spec.maximum = number_field(object, "maximum", where);
  if (object.contains("enum")) {
    spec.allowed = parse_enum(spec, object.at("enum"), where);
  }
  if (object.contains("required") && !object.at("required").is_boolean()) {
    refuse(where + ": \"required\" is true or false");
  }
  spec.required = object.value("required", false);
  if (object.contains("default")) {
    spec.default_value = detail::option_value_from_json(object.at("default"), name);
  }
  return spec;
}

SizeSpec parse_size(const json& object) {
  const std::string where = "\"size\"";
  if (!object.is_object()) {
    refuse(where + " must be an object");
  }
  check_known_fields(
      object, {"name", "description", "minimum", "maximum", "multipleOf"}, where);
  const auto integer = [&](const char* name, int64_t fallback) {
    const double value =
        number_field(object, name, where).value_or(static_cast<double>(fallback));
    if (std::floor(value) != value || value < 1 ||
        value > static_cast<double>(kLargestSize)) {
      refuse(fmt::format(
          "{}: \"{}\" is {}; allowed: integers from 1 to 2^40", where, name, value));
    }
    return static_cast<int64_t>(value);
  };
  SizeSpec size;
  size.name = text_field(object, "name", where);
  size.description = text_field(object, "description", where);
  size.minimum = integer("minimum", 1);
  size.maximum = integer("maximum", kLargestSize);
  size.multiple_of = integer("multipleOf", 1);
  if (size.minimum > size.maximum || size.minimum % size.multiple_of != 0) {
    refuse(
        fmt::format("{}: minimum {}, maximum {}, multipleOf {}: the minimum must be a "
                    "multiple and at most the maximum",
                    where,
                    size.minimum,
                    size.maximum,
                    size.multiple_of));
  }
  return size;
}

OptionSchema parse_options(const std::string& id, const json& object) {
  if (!object.is_object()) {
    refuse("\"options\" must be an object: name -> {type, description, ...}");
  }
  std::vector<OptionSpec> specs;
  for (const auto& [name, option] : object.items()) {
    specs.push_back(parse_option(name, option));
  }
  for (OptionSpec& spec : specs) {
    if (spec.default_value) {
      // A default that breaks its own rules would surface at a user instead of at the
      // author. It also takes the declared type here, so that a default and the same
      // value given are the same options.
      Options only;
      only.set(spec.name, *spec.default_value);
      const Options resolved = OptionSchema(id, {spec}).resolve(only);
      spec.default_value = resolved.values().at(spec.name);
    }
  }
  return {id, std::move(specs)};
}

Manifest parse_fields(const json& object, std::string_view text) {
  if (!object.is_object()) {
    refuse("must be a JSON object");
  }
  check_known_fields(object,
                     {"id", "kind", "version", "summary", "options", "size", "$schema"},
                     "the manifest");
  Manifest manifest;
  manifest.json = text;
  manifest.id = text_field(object, "id", "the manifest");
  check_id(manifest.id);
  const std::string kind = text_field(object, "kind", "the manifest");
  const auto known_kind = plugin_kind_from_string(kind);
  if (!known_kind) {
    refuse(
        fmt::format("\"kind\" is '{}'; allowed: {}", kind, fmt::join(kKindNames, ", ")));
  }
  manifest.kind = *known_kind;
  manifest.version = text_field(object, "version", "the manifest");
  manifest.summary = text_field(object, "summary", "the manifest");
  manifest.options = parse_options(manifest.id, object.value("options", json::object()));
  if (object.contains("size")) {
    manifest.size = parse_size(object.at("size"));
  }
  if ((manifest.kind == PluginKind::kModel) != manifest.size.has_value()) {
    refuse(manifest.size
               ? "\"size\" is for models only"
               : "a model needs \"size\": {name, description, minimum, maximum}");
  }
  return manifest;
}

}  // namespace

std::string_view to_string(PluginKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind) - 1;
  return index < kKindNames.size() ? kKindNames[index] : "unknown";
}

std::optional<PluginKind> plugin_kind_from_string(std::string_view name) noexcept {
  const auto* const found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end()) {
    return std::nullopt;
  }
  return static_cast<PluginKind>(found - kKindNames.begin() + 1);
}

bool uses_torch(PluginKind kind) noexcept {
  return kind != PluginKind::kSweep && kind != PluginKind::kFit;
}

bool SizeSpec::allows(int64_t size) const {
  return size >= minimum && size <= maximum && (size - minimum) % multiple_of == 0;
}

int64_t SizeSpec::nearest(double size) const {
  const double steps = std::round((size - static_cast<double>(minimum)) /
                                  static_cast<double>(multiple_of));
  const int64_t most = (maximum - minimum) / multiple_of;
  const auto step =
      static_cast<int64_t>(std::clamp(steps, 0.0, static_cast<double>(most)));
  return minimum + step * multiple_of;
}

Manifest parse_manifest(std::string_view text) {
  try {
    return parse_fields(detail::parse_json(text, "plugin.json"), text);
  } catch (const json::exception& error) {
    refuse(error.what());
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kPlugin) {
      throw;
    }
    throw Error(ErrorCode::kPlugin, error.message(), error.suggestion());
  }
}

}  // namespace sizewise

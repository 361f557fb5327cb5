#include "quantizing/stored_weight_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::quantizing {
namespace {

using nlohmann::json;

constexpr int kHalfBits = 16;

/// The fields of one entry, each of which is asked for once.
class Fields {
 public:
  explicit Fields(const json& entry) : entry_(entry) {
    if (!entry.is_object()) {
      throw Error(ErrorCode::kInput, "an entry of 'weights' is no object");
    }
    const auto name = entry.find("name");
    if (name == entry.end() || !name->is_string() ||
        name->get_ref<const std::string&>().empty()) {
      throw Error(ErrorCode::kInput, "an entry of 'weights' has no name");
    }
    name_ = name->get<std::string>();
    known_.insert("name");
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  [[noreturn]] void refuse(std::string_view field, const std::string& allowed) const {
    const auto found = entry_.find(field);
    const std::string value = found == entry_.end() ? "missing" : shown(*found);
    throw Error(
        ErrorCode::kInput,
        fmt::format("'{}' of '{}' is {}; allowed: {}", field, name_, value, allowed));
  }

  /// nullptr where it is absent.
  const json* find(const char* field) {
    known_.insert(field);
    const auto found = entry_.find(field);
    return found == entry_.end() ? nullptr : &*found;
  }

  std::string text(const char* field, std::initializer_list<const char*> allowed) {
    const json* value = find(field);
    if (value != nullptr && value->is_string()) {
      const auto& text = value->get_ref<const std::string&>();
      if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) {
        return text;
      }
    }
    refuse(field, fmt::format("{}", fmt::join(allowed, ", ")));
  }

  int64_t integer(const char* field, int64_t least, int64_t most) {
    const json* value = find(field);
    if (value == nullptr || !is_integer(*value, least, most)) {
      refuse(field, fmt::format("an integer from {} to {}", least, most));
    }
    return value->get<int64_t>();
  }

  bool flag(const char* field) {
    const json* value = find(field);
    if (value == nullptr || !value->is_boolean()) {
      refuse(field, "true or false");
    }
    return value->get<bool>();
  }

  static bool is_integer(const json& value, int64_t least, int64_t most) {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() &&
         value.get<uint64_t>() >
             static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))) {
      return false;
    }
    return value.get<int64_t>() >= least && value.get<int64_t>() <= most;
  }

  void refuse_unknown() const {
    for (const auto& [field, value] : entry_.items()) {
      if (!known_.contains(field)) {
        throw Error(
            ErrorCode::kInput,
            fmt::format("'{}' has a field '{}', which is not known", name_, field));
      }
    }
  }

 private:
  static std::string shown(const json& value) {
    constexpr std::size_t kLongest = 60;
    if (value.is_structured()) {
      return value.is_array() ? "a list" : "an object";
    }
    const std::string text =
        value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
    return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
  }

  const json& entry_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

std::vector<std::string> names_of(Fields& fields) {
  const json* value = fields.find("names");
  std::vector<std::string> names;
  if (value != nullptr && value->is_array()) {
    for (const json& name : *value) {
      if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
        fields.refuse("names", "a list of names");
      }
      names.push_back(name.get<std::string>());
    }
  }
  if (names.empty()) {
    fields.refuse("names", "a list of at least one name");
  }
  return names;
}

std::vector<int64_t> shape_of(Fields& fields) {
  const json* value = fields.find("shape");
  if (value == nullptr || !value->is_array() ||
      !std::all_of(value->begin(), value->end(), [](const json& size) {
        return Fields::is_integer(size, 0, std::numeric_limits<int64_t>::max());
      })) {
    fields.refuse("shape", "a list of sizes");
  }
  return value->get<std::vector<int64_t>>();
}

int bits_of(Fields& fields) {
  constexpr int kMostCodeBits = 8;
  const json* value = fields.find("bits");
  if (value == nullptr || !Fields::is_integer(*value, 2, kHalfBits) ||
      (value->get<int>() > kMostCodeBits && value->get<int>() != kHalfBits)) {
    fields.refuse("bits", "2 to 8, or 16");
  }
  return value->get<int>();
}

void check_kind(const StoredWeight& weight) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 5> kDimensions = {
      {{"linear", 2}, {"conv1d", 3}, {"conv2d", 4}, {"conv3d", 5}, {"embedding", 2}}};
  for (const auto& [kind, dimensions] : kDimensions) {
    if (weight.kind == kind && weight.shape.size() != dimensions) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}' has {} dimensions, and its kind is {}",
                              weight.name,
                              weight.shape.size(),
                              weight.kind));
    }
  }
}

void check_groups(const StoredWeight& weight) {
  const int64_t columns = matrix_size(weight).columns;
  const bool fits = weight.granularity == "group"
                        ? weight.group_size > 0 && columns % weight.group_size == 0
                        : weight.group_size == 0;
  if (!fits) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("group_size of '{}' is {}, with granularity {} and {} inputs; "
                    "allowed: a divisor of the inputs with granularity group, else 0",
                    weight.name,
                    weight.group_size,
                    weight.granularity,
                    columns));
  }
}

void read_activation(Fields& fields, StoredWeight& weight) {
  constexpr int64_t kMostZeroPoint = 255;
  weight.activation = fields.text(
      "activation", {"none", "dynamic_per_tensor", "dynamic_per_token", "static"});
  if (weight.activation != "static") {
    return;
  }
  const json* scale = fields.find("activation_scale");
  // The tensors hold it as float32.
  if (scale == nullptr || !scale->is_number() ||
      !std::isfinite(static_cast<float>(scale->get<double>())) ||
      !(static_cast<float>(scale->get<double>()) > 0)) {
    fields.refuse("activation_scale", "a positive number that float32 can hold");
  }
  weight.activation_scale = scale->get<double>();
  weight.activation_zero_point =
      fields.integer("activation_zero_point", 0, kMostZeroPoint);
}

}  // namespace

json json_of(const StoredWeight& weight) {
  json entry = {{"name", weight.name},
                {"names", weight.names},
                {"use", weight.use},
                {"kind", weight.kind},
                {"keeps_float", weight.keeps_float},
                {"shape", weight.shape},
                {"bits", weight.bits},
                {"scheme", weight.scheme},
                {"granularity", weight.granularity},
                {"group_size", weight.group_size},
                {"activation", weight.activation},
                {"has_input_scale", weight.has_input_scale}};
  if (weight.activation_scale) {
    entry["activation_scale"] = *weight.activation_scale;
  }
  if (weight.activation_zero_point) {
    entry["activation_zero_point"] = *weight.activation_zero_point;
  }
  return entry;
}

StoredWeight stored_weight_of(const json& entry) {
  Fields fields(entry);
  StoredWeight weight;
  weight.name = fields.name();
  weight.names = names_of(fields);
  weight.use = fields.text(
      "use", {"linear", "convolution", "transposed_convolution", "embedding"});
  weight.kind =
      fields.text("kind", {"linear", "conv1d", "conv2d", "conv3d", "embedding"});
  weight.keeps_float = fields.flag("keeps_float");
  weight.shape = shape_of(fields);
  weight.bits = bits_of(fields);
  weight.scheme = fields.text("scheme", {"symmetric", "asymmetric"});
  weight.granularity = fields.text("granularity", {"tensor", "channel", "group"});
  weight.group_size =
      fields.integer("group_size", 0, std::numeric_limits<int64_t>::max());
  weight.has_input_scale = fields.flag("has_input_scale");
  read_activation(fields, weight);
  fields.refuse_unknown();
  check_kind(weight);
  check_groups(weight);
  return weight;
}

}  // namespace sizewise::quantizing

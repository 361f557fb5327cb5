#include "quantizing/quantization_config.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "checkpoint/unique_json.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/stored_weight_json.hpp"

namespace sizewise::quantizing {
namespace {

using nlohmann::json;

constexpr const char* kTheirs = "quantization_config";
constexpr const char* kOurs = "sizewise";
constexpr int kVersion = 1;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::kInput, what);
}

const char* format_of(const StoredWeight& weight) {
  return is_packed(weight) ? "pack-quantized" : "int-quantized";
}

json weight_arguments(const StoredWeight& weight) {
  json arguments = {{"num_bits", weight.bits},
                    {"type", "int"},
                    {"symmetric", weight.scheme == "symmetric"},
                    {"strategy", weight.granularity},
                    {"group_size", nullptr},
                    {"dynamic", false}};
  if (weight.granularity == "group") {
    arguments["group_size"] = weight.group_size;
  }
  return arguments;
}

json input_arguments(const StoredWeight& weight) {
  if (weight.activation == "none") {
    return nullptr;
  }
  return {{"num_bits", 8},
          {"type", "int"},
          {"symmetric", false},
          {"strategy", weight.activation == "dynamic_per_token" ? "token" : "tensor"},
          {"group_size", nullptr},
          {"dynamic", weight.activation != "static"}};
}

/// The layers that are quantized alike, as one group each, in the order of their first.
json groups_of(const std::vector<StoredWeight>& weights) {
  json groups = json::object();
  std::map<std::tuple<int, std::string, std::string, int64_t, std::string>, std::string>
      names;
  for (const StoredWeight& weight : weights) {
    if (!is_shared(weight)) {
      continue;
    }
    const auto [name, is_new] = names.try_emplace({weight.bits,
                                                   weight.scheme,
                                                   weight.granularity,
                                                   weight.group_size,
                                                   weight.activation},
                                                  fmt::format("group_{}", names.size()));
    if (is_new) {
      groups[name->second] = {{"targets", json::array()},
                              {"format", format_of(weight)},
                              {"weights", weight_arguments(weight)},
                              {"input_activations", input_arguments(weight)},
                              {"output_activations", nullptr}};
    }
    groups[name->second]["targets"].push_back(module_of(weight.name));
  }
  return groups;
}

std::string format_of(const std::vector<StoredWeight>& weights) {
  std::set<std::string> formats;
  for (const StoredWeight& weight : weights) {
    if (is_shared(weight)) {
      formats.insert(format_of(weight));
    }
  }
  if (formats.empty()) {
    return "dense";
  }
  return formats.size() == 1 ? *formats.begin() : "mixed-precision";
}

json theirs_of(const QuantizationConfig& config) {
  return {{"quant_method", "compressed-tensors"},
          {"quantization_status", "compressed"},
          {"format", format_of(config.weights)},
          {"config_groups", groups_of(config.weights)},
          {"ignore", config.ignored},
          {"kv_cache_scheme", nullptr},
          {"global_compression_ratio", nullptr}};
}

/// Where a value differs from what it must be, such as "/format"; as deep as `expected`.
std::optional<std::string> difference(const json& expected, const json& found) {
  if (expected.is_object() && found.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      if (!found.contains(key)) {
        return "/" + key;
      }
      if (const auto inside = difference(value, found.at(key))) {
        return "/" + key + *inside;
      }
    }
    for (const auto& [key, value] : found.items()) {
      if (!expected.contains(key)) {
        return "/" + key;
      }
    }
    return std::nullopt;
  }
  return expected == found ? std::nullopt : std::optional<std::string>("");
}

std::vector<std::string> texts_of(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_array() ||
      !std::all_of(found->begin(), found->end(), [](const json& text) {
        return text.is_string();
      })) {
    refuse(fmt::format("'{}' must be a list of names", field));
  }
  return found->get<std::vector<std::string>>();
}

std::map<std::string, std::string> tied_of(const json& ours) {
  const auto found = ours.find("tied");
  if (found == ours.end() || !found->is_object() ||
      !std::all_of(found->begin(), found->end(), [](const json& text) {
        return text.is_string();
      })) {
    refuse("'tied' must be an object of names");
  }
  return found->get<std::map<std::string, std::string>>();
}

/// Every tensor's name stands once, and every name of the module once. A weight that
/// stays float beside its codes has names that `others` and `tied` have; no other weight
/// has them.
class Names {
 public:
  void add_tensor(const std::string& name) { add(tensors_, name, "tensors"); }
  void add_parameter(const std::string& name) { add(parameters_, name, "parameters"); }
  void add_weight(const std::string& name) { add(weights_, name, "weights"); }
  [[nodiscard]] bool is_parameter(const std::string& name) const {
    return parameters_.contains(name);
  }

 private:
  static void add(std::set<std::string>& names,
                  const std::string& name,
                  const char* what) {
    if (name.empty() || !names.insert(name).second) {
      refuse(fmt::format("two {} have the name '{}', or one has none", what, name));
    }
  }

  std::set<std::string> tensors_;
  std::set<std::string> parameters_;
  std::set<std::string> weights_;
};

void check_names(const QuantizationConfig& config) {
  Names names;
  for (const std::string& name : config.others) {
    names.add_tensor(name);
    names.add_parameter(name);
  }
  const std::set<std::string> others(config.others.begin(), config.others.end());
  for (const auto& [name, stored] : config.tied) {
    names.add_parameter(name);
    if (!others.contains(stored)) {
      refuse(fmt::format("'{}' is tied to '{}', which 'others' lacks", name, stored));
    }
  }
  for (const StoredWeight& weight : config.weights) {
    for (const StoredTensor& tensor : stored_tensors(weight).all()) {
      names.add_tensor(tensor.name);
    }
    if (weight.keeps_float &&
        std::none_of(weight.names.begin(), weight.names.end(), [&](const auto& name) {
          return names.is_parameter(name);
        })) {
      refuse(
          fmt::format("'{}' keeps its float weight, which 'others' lacks", weight.name));
    }
    for (const std::string& name : weight.names) {
      if (!weight.keeps_float) {
        names.add_parameter(name);
      }
      names.add_weight(name);
    }
  }
}

void check_theirs(const QuantizationConfig& config, const json& theirs) {
  if (const auto place = difference(theirs_of(config), theirs)) {
    refuse(fmt::format("'{}' contradicts '{}' in {}{}", kTheirs, kOurs, kTheirs, *place));
  }
  std::set<std::string> targets;
  for (const StoredWeight& weight : config.weights) {
    if (is_shared(weight)) {
      targets.insert(module_of(weight.name));
    }
  }
  for (const std::string& module : config.ignored) {
    if (targets.contains(module)) {
      refuse(fmt::format("'ignore' names '{}', which is quantized", module));
    }
  }
}

QuantizationConfig parse_object(const json& object) {
  if (!object.is_object() || !object.contains(kTheirs) ||
      !object.at(kTheirs).is_object()) {
    refuse(fmt::format("it has no '{}'", kTheirs));
  }
  if (!object.contains(kOurs) || !object.at(kOurs).is_object()) {
    refuse(fmt::format("it has no '{}': another program wrote it", kOurs));
  }
  const json& ours = object.at(kOurs);
  if (!ours.contains("version") || ours.at("version") != kVersion) {
    refuse(fmt::format("'version' of '{}' must be {}", kOurs, kVersion));
  }
  if (!ours.contains("weights") || !ours.at("weights").is_array() || ours.size() != 4) {
    refuse(fmt::format("'{}' must have version, weights, others and tied", kOurs));
  }
  QuantizationConfig config;
  for (const json& entry : ours.at("weights")) {
    config.weights.push_back(stored_weight_of(entry));
  }
  config.others = texts_of(ours, "others");
  config.tied = tied_of(ours);
  config.ignored = texts_of(object.at(kTheirs), "ignore");
  check_names(config);
  check_theirs(config, object.at(kTheirs));
  return config;
}

[[noreturn]] void refuse_file(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {}", file, what),
              "take the folder as `sizewise quantize` wrote it, or quantize again");
}

std::string described(const checkpoint::WeightTensor& tensor) {
  return fmt::format(
      "{} [{}]", checkpoint::to_string(tensor.type), fmt::join(tensor.shape, ", "));
}

std::string described(const StoredTensor& tensor) {
  std::vector<std::string_view> types;
  for (const checkpoint::WeightType type : tensor.types) {
    types.push_back(checkpoint::to_string(type));
  }
  return fmt::format("{} [{}]", fmt::join(types, " or "), fmt::join(tensor.shape, ", "));
}

using TensorsByName = std::map<std::string, const checkpoint::WeightTensor*>;

/// The tensor of this name, which is then no longer among those left over.
const checkpoint::WeightTensor& take(const std::string& name,
                                     TensorsByName& left,
                                     const std::string& file) {
  const auto found = left.find(name);
  if (found == left.end()) {
    refuse_file(file, fmt::format("has no tensor '{}', which config.json names", name));
  }
  const checkpoint::WeightTensor& tensor = *found->second;
  left.erase(found);
  return tensor;
}

/// The float weight that a tied weight keeps must be of its shape.
void check_kept(const StoredWeight& weight,
                const std::map<std::string, std::string>& tied,
                const TensorsByName& tensors,
                const std::string& file) {
  for (const std::string& name : weight.names) {
    const auto alias = tied.find(name);
    const auto found = tensors.find(alias == tied.end() ? name : alias->second);
    if (found != tensors.end() && found->second->shape != weight.shape) {
      refuse_file(file,
                  fmt::format("tensor '{}' is {}, and config.json says [{}] for '{}'",
                              found->first,
                              described(*found->second),
                              fmt::join(weight.shape, ", "),
                              weight.name));
    }
  }
}

}  // namespace

std::string format_config(const QuantizationConfig& config) {
  json ours = {{"version", kVersion},
               {"weights", json::array()},
               {"others", config.others},
               {"tied", config.tied}};
  for (const StoredWeight& weight : config.weights) {
    ours["weights"].push_back(json_of(weight));
  }
  const json object = {{kTheirs, theirs_of(config)}, {kOurs, std::move(ours)}};
  // What could not be read back is not written.
  static_cast<void>(parse_object(object));
  return object.dump(2) + "\n";
}

bool has_quantization_config(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() && object.contains(kTheirs);
}

QuantizationConfig parse_config(std::string_view text, const std::string& file) {
  try {
    return parse_object(checkpoint::parse_unique_json(text));
  } catch (const Error& error) {
    refuse_file(file, error.message());
  }
}

void check_tensors(const QuantizationConfig& config,
                   const std::vector<checkpoint::WeightTensor>& tensors,
                   const std::string& file) {
  TensorsByName by_name;
  for (const checkpoint::WeightTensor& tensor : tensors) {
    by_name.emplace(tensor.name, &tensor);
  }
  TensorsByName left = by_name;
  for (const StoredWeight& weight : config.weights) {
    for (const StoredTensor& expected : stored_tensors(weight).all()) {
      const checkpoint::WeightTensor& tensor = take(expected.name, left, file);
      if (tensor.shape != expected.shape ||
          std::find(expected.types.begin(), expected.types.end(), tensor.type) ==
              expected.types.end()) {
        refuse_file(file,
                    fmt::format("tensor '{}' is {}, and must be {} by config.json",
                                tensor.name,
                                described(tensor),
                                described(expected)));
      }
    }
    if (weight.keeps_float) {
      check_kept(weight, config.tied, by_name, file);
    }
  }
  for (const std::string& name : config.others) {
    static_cast<void>(take(name, left, file));
  }
  if (!left.empty()) {
    refuse_file(file,
                fmt::format("has a tensor '{}', which config.json does not name",
                            left.begin()->first));
  }
}

}  // namespace sizewise::quantizing

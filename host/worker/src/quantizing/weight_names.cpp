#include "quantizing/weight_names.hpp"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "checkpoint/safetensors_writer.hpp"
#include "quantizing/parameter_name.hpp"
#include "quantizing/stored_weight.hpp"

namespace sizewise::quantizing {

using checkpoint::WeightTensor;

namespace {

/// The names of all that one weight can become.
std::vector<std::string> names_for(const WeightTensor& tensor) {
  StoredWeight widest;
  widest.name = tensor.name;
  widest.shape = tensor.shape;
  widest.bits = 4;
  widest.scheme = "asymmetric";
  widest.activation = "static";
  widest.has_input_scale = true;
  std::vector<std::string> names;
  for (const StoredTensor& part : stored_tensors(widest).all()) {
    names.push_back(part.name);
  }
  return names;
}

}  // namespace

std::map<std::string, std::string> tied_names(const checkpoint::WeightFile& file) {
  std::map<std::string, std::string> tied = file.tied();
  const auto found = file.metadata().find("tied");
  if (found == file.metadata().end()) {
    return tied;
  }
  const auto names =
      nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (names.is_object()) {
    for (const auto& [name, stored] : names.items()) {
      if (stored.is_string()) {
        tied.emplace(name, stored.get<std::string>());
      }
    }
  }
  return tied;
}

uint64_t room_for(const WeightTensor& tensor, bool is_layer) {
  if (!is_layer) {
    return checkpoint::header_room(tensor.name, tensor.shape.size());
  }
  uint64_t room = 0;
  for (const std::string& name : names_for(tensor)) {
    room += checkpoint::header_room(name, tensor.shape.size());
  }
  return room;
}

void refuse_names(const std::filesystem::path& weights,
                  const std::vector<WeightTensor>& tensors,
                  const std::vector<bool>& is_layer) {
  std::set<std::string> names;
  for (const WeightTensor& tensor : tensors) {
    if (tensor.name.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: a tensor has no name", weights.string()),
                  "give it a name, and save the weights again");
    }
    names.insert(tensor.name);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const WeightTensor& tensor = tensors[i];
    if (!is_layer[i]) {
      continue;
    }
    for (const std::string& name : names_for(tensor)) {
      if (names.contains(name) && name != tensor.name) {
        throw Error(ErrorCode::kInput,
                    fmt::format("{}: it holds a tensor '{}', which is what a part of "
                                "the quantized '{}' would be called",
                                weights.string(),
                                name,
                                tensor.name),
                    fmt::format("leave that layer float (exclude '{}'), or rename the "
                                "tensor",
                                layer_name(tensor.name)));
      }
    }
  }
}

}  // namespace sizewise::quantizing

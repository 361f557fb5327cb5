#include "checkpoint/checkpoint.hpp"

#include <fstream>
#include <map>
#include <string>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <torch/nn/module.h>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "checkpoint/safetensors.hpp"
#include "running/durable_file.hpp"

namespace sizewise::checkpoint {
namespace {

using nlohmann::json;

/// Where the names of tied tensors stand in the metadata: {"other name": "stored name"}.
constexpr const char* kTied = "tied";

/// A module's parameters and buffers by name; tied ones under every name.
TensorMap state_of(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& parameter : module.named_parameters()) {
    state.emplace(parameter.key(), parameter.value());
  }
  for (const auto& buffer : module.named_buffers()) {
    state.emplace(buffer.key(), buffer.value());
  }
  return state;
}

[[noreturn]] void refuse(const std::filesystem::path& path,
                         std::string_view what,
                         const char* advice) {
  throw Error(ErrorCode::kInput, fmt::format("{}: {}", path.string(), what), advice);
}

// What to do where the weights are not this model's.
constexpr const char* kOtherModel =
    "name the folder of the model, size and options that these weights belong to";
constexpr const char* kTrainAgain =
    "take the folder as `sizewise train --output` wrote it, or train again";

std::string describe(const at::Tensor& tensor) {
  return fmt::format(
      "{} [{}]", c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ", "));
}

/// The stored name of each tied one.
std::map<std::string, std::string> tied_names(const Safetensors& content) {
  const auto found = content.metadata.find(kTied);
  if (found == content.metadata.end()) {
    return {};
  }
  const json names = json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  std::map<std::string, std::string> tied;
  if (!names.is_object()) {
    return tied;
  }
  for (const auto& [name, stored] : names.items()) {
    if (stored.is_string()) {
      tied.emplace(name, stored.get<std::string>());
    }
  }
  return tied;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder,
                     const torch::nn::Module& module,
                     json facts) {
  running::make_folder(folder);
  Safetensors content;
  json tied = json::object();
  std::map<const c10::TensorImpl*, std::string> stored;
  for (const auto& [name, tensor] : state_of(module)) {
    const auto [entry, is_new] = stored.emplace(tensor.unsafeGetTensorImpl(), name);
    if (is_new) {
      content.tensors.emplace(name, tensor);
    } else {
      tied[name] = entry->second;
    }
  }
  content.metadata["format"] = "pt";
  if (!tied.empty()) {
    content.metadata[kTied] = tied.dump();
  }
  write_safetensors(folder / kWeightsFile, content);
  facts["weights_sha256"] = sha256_of_file(folder / kWeightsFile);
  const std::string text = facts.dump(2, ' ', false, json::error_handler_t::replace);
  running::replace_file(folder / kFactsFile, text + "\n");
}

json read_facts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kFactsFile;
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: cannot be read: no checkpoint of Sizewise is there",
                            path.string()),
                "name the folder that `sizewise train --output` wrote");
  }
  json facts = json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object() || !facts.contains("weights_sha256")) {
    refuse(path, "is no checkpoint's description", kTrainAgain);
  }
  if (facts.at("weights_sha256") != sha256_of_file(folder / kWeightsFile)) {
    refuse(folder / kWeightsFile,
           fmt::format("is not the file that {} was written for: its checksum differs",
                       kFactsFile),
           kTrainAgain);
  }
  return facts;
}

uint64_t load_weights(const std::filesystem::path& folder, torch::nn::Module& module) {
  const std::filesystem::path path = folder / kWeightsFile;
  const Safetensors content = read_safetensors(path);
  const std::map<std::string, std::string> tied = tied_names(content);
  const at::NoGradGuard no_grad;
  TensorMap state = state_of(module);
  for (auto& [name, tensor] : state) {
    const auto alias = tied.find(name);
    const auto found = content.tensors.find(alias == tied.end() ? name : alias->second);
    if (found == content.tensors.end()) {
      refuse(path,
             fmt::format("has no tensor '{}', which the model has", name),
             kOtherModel);
    }
    if (found->second.sizes() != tensor.sizes() ||
        found->second.scalar_type() != tensor.scalar_type()) {
      refuse(path,
             fmt::format("'{}' is {}, and the model's is {}",
                         name,
                         describe(found->second),
                         describe(tensor)),
             kOtherModel);
    }
    tensor.copy_(found->second);
  }
  for (const auto& [name, tensor] : content.tensors) {
    if (!state.contains(name)) {
      refuse(path,
             fmt::format("has a tensor '{}', which the model has not", name),
             kOtherModel);
    }
  }
  return std::filesystem::file_size(path);
}

}  // namespace sizewise::checkpoint

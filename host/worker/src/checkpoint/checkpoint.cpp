#include "checkpoint/checkpoint.hpp"

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

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
TensorMap all_names_of(const torch::nn::Module& module) {
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

/// The stored tensor that a module's tensor of this name takes its numbers from.
/// @throws Error kInput where there is none, or its shape or type differs
const at::Tensor& stored_for(const std::string& name,
                             const at::Tensor& tensor,
                             const ModuleState& stored,
                             const std::filesystem::path& source) {
  const auto alias = stored.tied.find(name);
  const auto found =
      stored.tensors.find(alias == stored.tied.end() ? name : alias->second);
  if (found == stored.tensors.end()) {
    refuse(source,
           fmt::format("has no tensor '{}', which the model has", name),
           kOtherModel);
  }
  if (found->second.sizes() != tensor.sizes() ||
      found->second.scalar_type() != tensor.scalar_type()) {
    refuse(source,
           fmt::format("'{}' is {}, and the model's is {}",
                       name,
                       describe(found->second),
                       describe(tensor)),
           kOtherModel);
  }
  return found->second;
}

}  // namespace

ModuleState module_state(const torch::nn::Module& module) {
  ModuleState state;
  std::map<const c10::TensorImpl*, std::string> stored;
  for (const auto& [name, tensor] : all_names_of(module)) {
    const auto [entry, is_new] = stored.emplace(tensor.unsafeGetTensorImpl(), name);
    if (is_new) {
      state.tensors.emplace(name, tensor);
    } else {
      state.tied[name] = entry->second;
    }
  }
  return state;
}

void load_state(torch::nn::Module& module,
                const ModuleState& stored,
                const std::filesystem::path& source,
                const std::set<std::string>& besides) {
  const TensorMap state = all_names_of(module);
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // to, from
  for (const auto& [name, tensor] : state) {
    if (!besides.contains(name)) {
      copies.emplace_back(tensor, stored_for(name, tensor, stored, source));
    }
  }
  for (const auto& [name, tensor] : stored.tensors) {
    if (!state.contains(name)) {
      refuse(source,
             fmt::format("has a tensor '{}', which the model has not", name),
             kOtherModel);
    }
  }
  const at::NoGradGuard no_grad;
  for (auto& [to, from] : copies) {
    to.copy_(from);
  }
}

void save_checkpoint(const std::filesystem::path& folder,
                     const torch::nn::Module& module,
                     json facts) {
  running::make_folder(folder);
  ModuleState state = module_state(module);
  Safetensors content;
  content.tensors = std::move(state.tensors);
  content.metadata["format"] = "pt";
  if (!state.tied.empty()) {
    content.metadata[kTied] = json(state.tied).dump();
  }
  write_safetensors(folder / kWeightsFile, content);
  write_facts(folder, std::move(facts));
}

void write_facts(const std::filesystem::path& folder, json facts) {
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
  Safetensors content = read_safetensors(path);
  std::map<std::string, std::string> tied = tied_names(content);
  load_state(module, {std::move(content.tensors), std::move(tied)}, path);
  return std::filesystem::file_size(path);
}

}  // namespace sizewise::checkpoint

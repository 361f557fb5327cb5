#include "quantizing/installed_weights.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "quantizing/module_tensors.hpp"

namespace sizewise::quantizing {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::kInput,
              message,
              "name the model, size and options that these weights belong to");
}

/// Refuses what no site can take the place of, before anything is changed.
void require_float_on_cpu(const at::Tensor& tensor,
                          const std::string& name,
                          const std::string& source) {
  if (site_kernel(tensor) != nullptr) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: the model's weight '{}' is quantized already", source, name),
        "give a float model of the same type and size");
  }
  if (!tensor.is_cpu()) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            "{}: the model's weight '{}' is on {}; quantized models run on the cpu",
            source,
            name,
            tensor.device().str()),
        "move the model to the cpu first");
  }
}

/// The module's weight that a quantized one belongs to.
/// @throws Error kInput naming the source where there is none of such names and shape, it
///   is quantized already or not on the cpu
const ModuleWeight& place_of(const QuantizedWeight& weight,
                             const std::vector<ModuleWeight>& places,
                             const std::string& source) {
  const auto found = std::find_if(places.begin(), places.end(), [&](const auto& place) {
    return place.names == weight.names;
  });
  if (found == places.end()) {
    refuse(fmt::format(
        "{}: the quantized weight '{}' is that of {}, which the model has not",
        source,
        weight.name,
        fmt::join(weight.names, " and ")));
  }
  require_float_on_cpu(found->tensors.front(), weight.name, source);
  const auto shape = found->tensors.front().sizes();
  if (shape != at::IntArrayRef(weight.shape)) {
    refuse(fmt::format("{}: the quantized weight '{}' is [{}], and the model's is [{}]",
                       source,
                       weight.name,
                       fmt::join(weight.shape, ", "),
                       fmt::join(shape, ", ")));
  }
  return *found;
}

/// The float weight that stands beside codes, by whichever of its names files hold it;
/// undefined where they do not.
at::Tensor kept_weight(const QuantizedWeight& weight, const TensorMap& tensors) {
  for (const std::string& name : weight.names) {
    const auto found = tensors.find(name);
    if (found != tensors.end()) {
      return found->second;
    }
  }
  return {};
}

/// Files hold a float weight by a name that its codes have not.
void rename_kept_weight(const QuantizedWeight& weight, QuantizedFiles& files) {
  const auto stored =
      std::find_if(weight.names.begin(), weight.names.end(), [&](const auto& name) {
        return name != weight.name;
      });
  const at::Tensor kept = kept_weight(weight, files.others);
  if (stored == weight.names.end() || !kept.defined()) {
    return;
  }
  for (const std::string& name : weight.names) {
    files.others.erase(name);
    files.tied.erase(name);
    if (name != *stored) {
      files.tied.emplace(name, *stored);
    }
  }
  files.others.emplace(*stored, kept);
}

/// A kernel, and the weight whose place it takes.
struct Placement {
  std::shared_ptr<QuantizedKernel> kernel;
  std::vector<at::Tensor> tensors;
};

/// @param float_weights of those that stay float beside their codes, by one of their
///   names; a weight that it lacks is the module's own
std::vector<Placement> placements(const torch::nn::Module& module,
                                  const std::vector<QuantizedWeight>& weights,
                                  const TensorMap& float_weights,
                                  const std::string& source) {
  const std::vector<ModuleWeight> places = list_tensors(module).weights;
  std::vector<Placement> placed;
  for (const QuantizedWeight& weight : weights) {
    const ModuleWeight& place = place_of(weight, places, source);
    at::Tensor float_weight;
    if (weight.keeps_float) {
      const at::Tensor given = kept_weight(weight, float_weights);
      float_weight = (given.defined() ? given : place.tensors.front()).detach().clone();
    }
    placed.push_back({make_kernel(weight, float_weight), place.tensors});
  }
  return placed;
}

std::vector<std::shared_ptr<QuantizedKernel>> install(std::vector<Placement> placed) {
  std::vector<std::shared_ptr<QuantizedKernel>> kernels;
  for (Placement& placement : placed) {
    for (const at::Tensor& tensor : placement.tensors) {
      static_cast<void>(install_site(tensor, placement.kernel));
    }
    kernels.push_back(std::move(placement.kernel));
  }
  return kernels;
}

/// The names of the parameters that files need not hold: their codes stand there.
std::set<std::string> coded_names(const std::vector<QuantizedWeight>& weights) {
  std::set<std::string> names;
  for (const QuantizedWeight& weight : weights) {
    if (!weight.keeps_float) {
      names.insert(weight.names.begin(), weight.names.end());
    }
  }
  return names;
}

}  // namespace

std::vector<std::shared_ptr<QuantizedKernel>> install_weights(
    torch::nn::Module& module, const std::vector<QuantizedWeight>& weights) {
  return install(placements(module, weights, {}, "the quantizer's result"));
}

QuantizedFiles files_of(const torch::nn::Module& module,
                        std::vector<QuantizedWeight> weights) {
  checkpoint::ModuleState state = checkpoint::module_state(module);
  QuantizedFiles files;
  const std::set<std::string> coded = coded_names(weights);
  for (auto& [name, tensor] : state.tensors) {
    if (!coded.contains(name)) {
      const SiteKernel* kernel = site_kernel(tensor);
      files.others.emplace(name, kernel == nullptr ? tensor : kernel->dense());
    }
  }
  for (auto& [name, stored] : state.tied) {
    if (!coded.contains(name)) {
      files.tied.emplace(name, std::move(stored));
    }
  }
  for (const QuantizedWeight& weight : weights) {
    if (weight.keeps_float) {
      rename_kept_weight(weight, files);
    }
  }
  files.weights = std::move(weights);
  return files;
}

std::vector<std::shared_ptr<QuantizedKernel>> load_files(torch::nn::Module& module,
                                                         const QuantizedFiles& content,
                                                         const std::string& source) {
  std::vector<Placement> placed =
      placements(module, content.weights, content.others, source);
  checkpoint::load_state(
      module, {content.others, content.tied}, source, coded_names(content.weights));
  return install(std::move(placed));
}

}  // namespace sizewise::quantizing

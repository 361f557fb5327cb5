#include "quantizing/module_tensors.hpp"

#include <algorithm>
#include <set>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/nn/module.h>

namespace sizewise::quantizing {
namespace {

/// Whether two tensors are the same numbers in the same memory.
bool are_tied(const at::Tensor& one, const at::Tensor& other) {
  if (one.is_same(other)) {
    return true;
  }
  return one.has_storage() && other.has_storage() && one.is_alias_of(other) &&
         one.storage_offset() == other.storage_offset() && one.sizes() == other.sizes() &&
         one.strides() == other.strides() && one.dtype() == other.dtype();
}

void add_weight(const at::Tensor& tensor,
                const std::string& name,
                const torch::nn::Module& holder,
                std::vector<ModuleWeight>& weights) {
  const auto tied =
      std::find_if(weights.begin(), weights.end(), [&](const ModuleWeight& weight) {
        return are_tied(weight.tensors.front(), tensor);
      });
  if (tied == weights.end()) {
    weights.push_back({{name}, holder.name(), {tensor}});
    return;
  }
  tied->names.push_back(name);
  const bool known = std::any_of(
      tied->tensors.begin(), tied->tensors.end(), [&](const at::Tensor& same) {
        return same.is_same(tensor);
      });
  if (!known) {
    tied->tensors.push_back(tensor);
  }
}

/// Not by named_parameters() of the whole: for its modules it asks for shared pointers,
/// which a module on the stack has none of.
void list_into(const torch::nn::Module& module,
               const std::string& prefix,
               ModuleTensors& all) {
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    const at::Tensor& tensor = parameter.value();
    if (tensor.defined() && tensor.is_floating_point() && tensor.dim() >= 2) {
      add_weight(tensor, prefix + parameter.key(), module, all.weights);
    } else if (tensor.defined()) {
      all.others.push_back(tensor);
    }
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    if (buffer.value().defined()) {
      all.others.push_back(buffer.value());
    }
  }
  for (const auto& child : module.named_children()) {
    list_into(*child.value(), prefix + child.key() + ".", all);
  }
}

}  // namespace

ModuleTensors list_tensors(const torch::nn::Module& module) {
  ModuleTensors all;
  list_into(module, "", all);
  return all;
}

at::Tensor parameter_named(const torch::nn::Module& module, std::string_view name) {
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    if (parameter.key() == name) {
      return parameter.value();
    }
  }
  for (const auto& child : module.named_children()) {
    const std::string prefix = child.key() + ".";
    if (name.starts_with(prefix)) {
      return parameter_named(*child.value(), name.substr(prefix.size()));
    }
  }
  return {};
}

KeptTensors::KeptTensors(const std::vector<at::Tensor>& tensors) {
  // Plain tensors on any thread: versions and gradients are none of the module's
  // business.
  const c10::InferenceMode no_inference_mode(false);
  const at::NoGradGuard no_gradients;
  std::set<const void*> seen;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.has_storage() ||
        !seen.insert(tensor.storage().unsafeGetStorageImpl()).second) {
      continue;
    }
    const at::Tensor memory =
        at::empty({0}, tensor.options().dtype(at::kByte).requires_grad(false))
            .set_(tensor.storage());
    kept_.push_back({memory, memory.clone()});
  }
}

KeptTensors::~KeptTensors() {
  const c10::InferenceMode no_inference_mode(false);
  const at::NoGradGuard no_gradients;
  for (const Kept& kept : kept_) {
    kept.memory.copy_(kept.copy);
  }
}

}  // namespace sizewise::quantizing

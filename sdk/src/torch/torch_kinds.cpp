#include <unordered_set>

#include "sizewise/dataset.hpp"
#include "sizewise/error.hpp"
#include "sizewise/loss.hpp"
#include "sizewise/model.hpp"
#include "sizewise/quantizer.hpp"

namespace sizewise {

Model::~Model() = default;
ModelFamily::~ModelFamily() = default;
Dataset::~Dataset() = default;
Loss::~Loss() = default;
Quantizer::~Quantizer() = default;

std::optional<int64_t> ModelFamily::num_params(int64_t /*size*/) const {
  return std::nullopt;
}

void Quantizer::prepare(const ModelView& /*model*/) {}

int64_t count_params(const torch::nn::Module& module) {
  // parameters() repeats a tied tensor; its TensorImpl is the same.
  std::unordered_set<const c10::TensorImpl*> seen;
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    if (seen.insert(parameter.unsafeGetTensorImpl()).second) {
      count += parameter.numel();
    }
  }
  return count;
}

const at::Tensor& tensor_at(const TensorMap& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    std::string names;
    for (const auto& entry : tensors) {
      names += (names.empty() ? "" : ", ") + entry.first;
    }
    throw Error(ErrorCode::kPlugin,
                "there is no tensor '" + std::string(name) + "'; there are: " + names);
  }
  return found->second;
}

}  // namespace sizewise

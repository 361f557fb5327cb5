#include "contract/made_up_batch.hpp"

#include <algorithm>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::contract {
namespace {

at::Tensor made_up(const std::string& type,
                   const std::vector<int64_t>& shape,
                   int64_t samples,
                   int64_t below,
                   const at::Generator& generator) {
  std::vector<int64_t> sizes{samples};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  if (type == "int64") {
    return at::randint(std::max<int64_t>(below, 1), sizes, generator, at::kLong);
  }
  if (type == "float32" || type.empty()) {
    return at::randn(sizes, generator, at::TensorOptions(at::kFloat));
  }
  throw Error(ErrorCode::kInput,
              fmt::format("the data's type is '{}'; allowed: float32, int64", type));
}

}  // namespace

TensorMap made_up_batch(const DatasetInfo& data, int64_t samples, uint64_t seed) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const int64_t targets = data.classes > 0 ? data.classes : data.vocabulary;
  return {
      {"input",
       made_up(data.input_type, data.input_shape, samples, data.vocabulary, generator)},
      {"target",
       made_up(data.target_type, data.target_shape, samples, targets, generator)}};
}

}  // namespace sizewise::contract

#include "training/create_model.hpp"

#include <ATen/Context.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "training/guarded.hpp"

namespace sizewise::training {

std::unique_ptr<Model> create_model(const Named<ModelFamily>& family,
                                    int64_t size,
                                    uint64_t seed) {
  at::manual_seed(seed);
  std::unique_ptr<Model> model = guarded(family.id, fmt::format("create({})", size), [&] {
    return family.instance->create(size);
  });
  if (model == nullptr) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("plugin '{}': create({}) returned nothing", family.id, size));
  }
  return model;
}

std::optional<int64_t> known_params_of_size(const Named<ModelFamily>& family,
                                            int64_t size) {
  return guarded(family.id, fmt::format("num_params_of({})", size), [&] {
    return family.instance->num_params(size);
  });
}

int64_t made_params_of_size(const Named<ModelFamily>& family, int64_t size) {
  return count_params(create_model(family, size, /*seed=*/0)->module());
}

int64_t params_of_size(const Named<ModelFamily>& family, int64_t size) {
  const std::optional<int64_t> known = known_params_of_size(family, size);
  return known ? *known : made_params_of_size(family, size);
}

}  // namespace sizewise::training

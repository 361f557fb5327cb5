#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "sizewise/model.hpp"

#include "training/trial.hpp"

namespace sizewise::training {

/// A new model of a family, its weights drawn with `seed`.
/// @throws Error naming the plugin and the size where create() throws or returns nothing
[[nodiscard]] std::unique_ptr<Model> create_model(const Named<ModelFamily>& family,
                                                  int64_t size,
                                                  uint64_t seed);

/// The parameters of a size where the family can tell without a model; nothing where it
/// cannot. @throws Error naming the plugin
[[nodiscard]] std::optional<int64_t> known_params_of_size(
    const Named<ModelFamily>& family, int64_t size);

/// The parameters of a size, counted on a model that is made for it.
/// @throws Error as create_model()
[[nodiscard]] int64_t made_params_of_size(const Named<ModelFamily>& family, int64_t size);

/// The parameters of a size: what the family says where it can tell without a model, else
/// counted on one. @throws Error naming the plugin
[[nodiscard]] int64_t params_of_size(const Named<ModelFamily>& family, int64_t size);

}  // namespace sizewise::training

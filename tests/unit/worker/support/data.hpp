#pragma once

#include <cstdint>

#include "training/trial.hpp"

namespace sizewise::test {

/// A dataset of this description, learnable: a target depends on its input. `train` and
/// `validation` override the description's sample counts where positive.
[[nodiscard]] training::Named<Dataset> make_dataset(DatasetInfo data,
                                                    int64_t train = 0,
                                                    int64_t validation = 0);

/// Cross-entropy of `output` {..., classes} against `target` {...}, which knows hits.
[[nodiscard]] training::Named<Loss> make_cross_entropy();

/// The same, but targets 0, 3, 6, ... do not count: batches have unequal numbers of
/// units.
[[nodiscard]] training::Named<Loss> make_masked_cross_entropy();

/// Cross-entropy until `good_calls` training batches have been seen; then NaN.
[[nodiscard]] training::Named<Loss> make_failing_loss(int64_t good_calls);

/// A whole setting for a family of networks.hpp.
[[nodiscard]] training::Ingredients make_ingredients(const std::string& family);

}  // namespace sizewise::test

#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <c10/core/Device.h>

#include "training/trial.hpp"

namespace sizewise::training {

/// What a model does on the validation split.
struct Evaluation {
  double loss = kNotMeasured;      ///< mean over units, in nats per unit
  std::optional<double> accuracy;  ///< hits per unit, where the loss counts hits
  int64_t units = 0;
  int64_t batches = 0;
  double seconds = 0;  ///< fetching, forward and loss of all batches
};

/// The mean loss over the whole validation split, each batch weighted by its units; the
/// model in eval() and without gradients. It is left in the mode that it was in.
/// `after_batch`, where not empty, is called after each batch.
/// @throws Error kInput where the split is empty, else what the plugins throw, named
[[nodiscard]] Evaluation evaluate_model(Model& model,
                                        const Ingredients& ingredients,
                                        const c10::Device& device,
                                        int64_t batch_size,
                                        const std::function<void()>& after_batch = {});

}  // namespace sizewise::training

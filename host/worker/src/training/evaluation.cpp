#include "training/evaluation.hpp"

#include <algorithm>
#include <chrono>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "training/batches.hpp"
#include "training/eval_scope.hpp"
#include "training/guarded.hpp"
#include "training/precision.hpp"

namespace sizewise::training {
namespace {

using Clock = std::chrono::steady_clock;

/// Sums that stay on the device until they are read once.
struct Sums {
  at::Tensor loss;
  at::Tensor hits;
  int64_t units = 0;
  bool counts_hits = true;

  void add(const LossValue& value) {
    if (value.units == 0) {
      return;  // a mean over nothing is no number
    }
    loss.add_(value.mean.to(at::kDouble), static_cast<double>(value.units));
    units += value.units;
    if (value.hits) {
      hits.add_(*value.hits);
    } else {
      counts_hits = false;
    }
  }
};

}  // namespace

Evaluation evaluate_model(Model& model,
                          const Ingredients& ingredients,
                          const c10::Device& device,
                          int64_t batch_size,
                          const std::function<void()>& after_batch) {
  const at::NoGradGuard no_grad;
  const EvalScope eval_scope(model.module());
  const DatasetInfo& info = ingredients.dataset.instance->info();
  if (info.validation_samples < 1) {
    throw Error(ErrorCode::kInput,
                fmt::format("plugin '{}': there are no validation samples",
                            ingredients.dataset.id),
                "raise its validation_fraction, or give it more data");
  }
  const auto start = Clock::now();
  Sums sums{at::zeros({}, at::TensorOptions(device).dtype(at::kDouble)),
            at::zeros({}, at::TensorOptions(device).dtype(at::kLong))};
  Evaluation evaluation;
  for (int64_t first = 0; first < info.validation_samples; first += batch_size) {
    const TensorMap batch =
        fetch_batch(ingredients.dataset,
                    {Split::kValidation,
                     first,
                     std::min(batch_size, info.validation_samples - first)},
                    device);
    const TensorMap outputs = guarded(ingredients.family.id, [&] {
      const AutocastScope autocast(ingredients.recipe.precision, device.type());
      return widened(model.forward(batch));
    });
    sums.add(guarded(ingredients.loss.id, [&] {
      return ingredients.loss.instance->compute(outputs, batch, true);
    }));
    ++evaluation.batches;
    if (after_batch) {
      after_batch();
    }
  }
  if (sums.units < 1) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("plugin '{}': compute() counted {} units in the whole validation "
                    "split; a loss is the mean over 1 or more",
                    ingredients.loss.id,
                    sums.units));
  }
  evaluation.units = sums.units;
  const auto units = static_cast<double>(sums.units);
  evaluation.loss = sums.loss.item<double>() / units;
  if (sums.counts_hits) {
    evaluation.accuracy = static_cast<double>(sums.hits.item<int64_t>()) / units;
  }
  evaluation.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return evaluation;
}

}  // namespace sizewise::training

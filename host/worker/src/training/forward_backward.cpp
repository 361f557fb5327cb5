#include "training/forward_backward.hpp"

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "training/batches.hpp"
#include "training/flop_counter.hpp"
#include "training/guarded.hpp"
#include "training/horizon.hpp"
#include "training/precision.hpp"

namespace sizewise::training {
namespace {

std::vector<int64_t> shapes_of(const TensorMap& batch) {
  std::vector<int64_t> shapes;
  for (const auto& [name, tensor] : batch) {
    const c10::IntArrayRef sizes = tensor.sizes();
    shapes.push_back(tensor.dim());
    shapes.insert(shapes.end(), sizes.begin(), sizes.end());
  }
  return shapes;
}

void check_loss(const LossValue& value, const Ingredients& ingredients) {
  if (!value.mean.defined() || value.mean.numel() != 1 || value.units < 1) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("plugin '{}': compute() must return one number and how many units it "
                    "is the mean of; it returned {} over {} units",
                    ingredients.loss.id,
                    describe_tensors({{"mean", value.mean}}),
                    value.units));
  }
  if (!value.mean.requires_grad()) {
    throw Error(
        ErrorCode::kPlugin,
        fmt::format("the loss of plugin '{}' does not depend on the parameters of "
                    "plugin '{}': there is no gradient",
                    ingredients.loss.id,
                    ingredients.family.id),
        "register parameters with register_parameter() or register_module(), and "
        "detach nothing on the way from them to the output");
  }
}

}  // namespace

ForwardBackward::ForwardBackward(Model& model,
                                 const Ingredients& ingredients,
                                 c10::Device device,
                                 bool count_flops)
    : model_(model),
      ingredients_(ingredients),
      device_(device),
      count_flops_(count_flops) {}

LossValue ForwardBackward::forward(const TensorMap& batch) {
  const TensorMap outputs = guarded(ingredients_.family.id, [&] {
    const AutocastScope autocast(ingredients_.recipe.precision, device_.type());
    return widened(model_.forward(batch));
  });
  LossValue value = guarded(ingredients_.loss.id, [&] {
    return ingredients_.loss.instance->compute(outputs, batch, false);
  });
  check_loss(value, ingredients_);
  return value;
}

LossValue ForwardBackward::run_pass(const TensorMap& batch,
                                    double nominal_units,
                                    bool whole_step) {
  LossValue value = forward(batch);
  guarded(ingredients_.family.id, [&] {
    if (whole_step) {
      value.mean.backward();
    } else {
      // Weighted by its units, so that the passes add up to the step's mean whatever
      // number of units each has.
      value.mean.mul(static_cast<double>(value.units) / nominal_units).backward();
    }
  });
  value.mean = value.mean.detach();
  return value;
}

LossValue ForwardBackward::count_pass(const TensorMap& batch,
                                      double nominal_units,
                                      bool whole_step,
                                      int64_t& flops) {
  if (!count_flops_) {
    return run_pass(batch, nominal_units, whole_step);
  }
  const auto [entry, is_new] = flops_of_shapes_.try_emplace(shapes_of(batch), 0);
  if (!is_new) {
    flops += entry->second;
    return run_pass(batch, nominal_units, whole_step);
  }
  const FlopCounter counter;
  LossValue value = run_pass(batch, nominal_units, whole_step);
  const FlopCount count = counter.count();
  entry->second = count.flops;
  flops += count.flops;
  uncounted_.insert(count.uncounted.begin(), count.uncounted.end());
  return value;
}

StepOutcome ForwardBackward::run(int64_t first_sample, int64_t samples) {
  const DatasetInfo& info = ingredients_.dataset.instance->info();
  const std::vector<int64_t> passes = split_step(samples, ingredients_.recipe.accumulate);
  const bool whole_step = passes.size() == 1;
  const auto nominal_units = static_cast<double>(samples * info.units_per_sample);
  StepOutcome outcome;
  double units = 0;
  for (const int64_t count : passes) {
    const TensorMap batch =
        fetch_batch(ingredients_.dataset,
                    {Split::kTrain, first_sample, count, ingredients_.recipe.seed},
                    device_);
    const LossValue value = count_pass(batch, nominal_units, whole_step, outcome.flops);
    if (whole_step) {
      outcome.loss = value.mean;
      return outcome;
    }
    const at::Tensor weighted = value.mean.mul(static_cast<double>(value.units));
    outcome.loss = outcome.loss.defined() ? outcome.loss.add(weighted) : weighted;
    units += static_cast<double>(value.units);
    first_sample += count;
  }
  outcome.loss = outcome.loss.div(units);
  outcome.gradient_divisor = units / nominal_units;
  return outcome;
}

}  // namespace sizewise::training

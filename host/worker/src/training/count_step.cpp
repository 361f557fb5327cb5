#include "training/count_step.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/model.hpp"

#include "training/batches.hpp"
#include "training/create_model.hpp"
#include "training/forward_backward.hpp"

namespace sizewise::training {

StepCost count_step(const Ingredients& ingredients, int64_t size) {
  const c10::Device device = device_from_name(ingredients.recipe.device);
  const std::unique_ptr<Model> model =
      create_model(ingredients.family, size, ingredients.recipe.seed);
  model->module().to(device);
  model->module().train();
  ForwardBackward passes(*model, ingredients, device, /*count_flops=*/true);
  const int64_t samples = ingredients.recipe.batch_size;
  const StepOutcome outcome = passes.run(0, samples);
  const int64_t units = samples * ingredients.dataset.instance->info().units_per_sample;
  return {count_params(model->module()),
          static_cast<double>(outcome.flops) / static_cast<double>(units),
          passes.uncounted()};
}

std::string uncounted_warning(const std::set<std::string>& uncounted) {
  return fmt::format(
      "operators that do matrix work have no FLOP formula and are not in the count: {}",
      fmt::join(uncounted, ", "));
}

}  // namespace sizewise::training

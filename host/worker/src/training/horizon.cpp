#include "training/horizon.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::training {

int64_t Horizon::samples_in_step(int64_t step) const {
  return std::min(batch_size, samples - step * batch_size);
}

Horizon plan_horizon(int64_t tokens, const DatasetInfo& data, const Recipe& recipe) {
  const int64_t per_sample = std::max<int64_t>(data.units_per_sample, 1);
  if (data.train_samples < 1) {
    throw Error(ErrorCode::kInput,
                "the dataset has no training samples",
                "lower its validation_fraction, or give it more data");
  }
  if (tokens < 1 || tokens % per_sample != 0) {
    const int64_t below = std::max(tokens / per_sample, int64_t{1}) * per_sample;
    throw Error(ErrorCode::kConfiguration,
                fmt::format("a trial was asked to consume {} {}s; one sample has {}, so "
                            "allowed are positive multiples of {}",
                            tokens,
                            data.unit,
                            per_sample,
                            per_sample),
                fmt::format("ask for {} or {}", below, below + per_sample));
  }
  const int64_t samples = tokens / per_sample;
  if (samples < recipe.batch_size) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("budget too small for one batch: the trial may consume {} {}s, which "
                    "is {} samples of {}, and a batch is {} samples ({} {}s)",
                    tokens,
                    data.unit,
                    samples,
                    per_sample,
                    recipe.batch_size,
                    recipe.batch_size * per_sample,
                    data.unit),
        fmt::format("raise the budget, or lower --batch-size to at most {}", samples));
  }
  return {
      samples, recipe.batch_size, (samples + recipe.batch_size - 1) / recipe.batch_size};
}

std::vector<int64_t> split_step(int64_t samples, int64_t passes) {
  const int64_t count = std::clamp<int64_t>(passes, 1, std::max<int64_t>(samples, 1));
  std::vector<int64_t> sizes(static_cast<std::size_t>(count), samples / count);
  for (int64_t extra = 0; extra < samples % count; ++extra) {
    ++sizes[static_cast<std::size_t>(extra)];
  }
  return sizes;
}

}  // namespace sizewise::training

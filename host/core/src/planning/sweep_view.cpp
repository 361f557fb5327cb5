#include "planning/sweep_view.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::planning {

SizeOracle::~SizeOracle() = default;

SweepView::SweepView(SizeOracle& oracle,
                     std::vector<Flops> budgets,
                     SizeSpec sizes,
                     const DatasetInfo& data,
                     int64_t batch_size)
    : oracle_(oracle),
      budgets_(std::move(budgets)),
      sizes_(std::move(sizes)),
      least_units_(static_cast<double>(batch_size * data.units_per_sample)),
      unit_step_(static_cast<double>(data.units_per_sample)),
      train_units_(static_cast<double>(data.train_units())) {
  std::sort(budgets_.begin(), budgets_.end());
}

SizeFacts SweepView::describe(int64_t size) {
  if (const auto found = described_.find(size); found != described_.end()) {
    return found->second;
  }
  if (!sizes_.allows(size)) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("the model has no {} {}; allowed: {} to {}, in steps of {}",
                    sizes_.name,
                    size,
                    sizes_.minimum,
                    sizes_.maximum,
                    sizes_.multiple_of),
        fmt::format("the nearest is {}", sizes_.nearest(static_cast<double>(size))));
  }
  const std::array<int64_t, 1> asked = {size};
  const std::vector<SizeFacts> answer = oracle_.describe(asked, false);
  if (answer.size() != 1 || answer.front().size != size) {
    throw Error(ErrorCode::kInternal,
                fmt::format("the worker described other sizes than {}", size));
  }
  return described_[size] = answer.front();
}

int64_t SweepView::size_for(Parameters params) {
  const double target = params.value();
  if (const auto found = inverted_.find(target); found != inverted_.end()) {
    return found->second;
  }
  const std::array<double, 1> asked = {target};
  const std::vector<int64_t> answer = oracle_.invert(asked);
  if (answer.size() != 1 || !sizes_.allows(answer.front())) {
    throw Error(ErrorCode::kInternal,
                fmt::format("the worker gave no allowed size for {} parameters", target));
  }
  return inverted_[target] = answer.front();
}

}  // namespace sizewise::planning

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
                     int64_t batch_size,
                     Parameters largest)
    : oracle_(oracle),
      budgets_(std::move(budgets)),
      sizes_(std::move(sizes)),
      least_units_(static_cast<double>(batch_size * data.units_per_sample)),
      unit_step_(static_cast<double>(data.units_per_sample)),
      train_units_(static_cast<double>(data.train_units())),
      largest_(largest) {
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
  try {
    const SizeFacts facts = oracle_.describe(asked, false).at(0);
    remember(facts);
    return facts;
  } catch (...) {
    fault_ = std::current_exception();
    throw;
  }
}

int64_t SweepView::size_for(Parameters params) {
  const double target = std::min(params.value(), largest_.value());
  if (const auto found = inverted_.find(target); found != inverted_.end()) {
    return found->second;
  }
  const std::array<double, 1> asked = {target};
  try {
    const int64_t size = oracle_.invert(asked, largest_).at(0);
    inverted_[target] = size;
    return size;
  } catch (...) {
    fault_ = std::current_exception();
    throw;
  }
}

void SweepView::rethrow_fault() const {
  if (fault_) {
    std::rethrow_exception(fault_);
  }
}

}  // namespace sizewise::planning

#include "planning/feasibility.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::planning {
namespace {

constexpr double kMostPasses = 100;
constexpr std::size_t kLeastBudgets = 3;
constexpr double kSameBudget = 1.1;

}  // namespace

void check_batch(int64_t batch_size, const DatasetInfo& data) {
  if (batch_size > data.train_samples) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("a batch of {} samples is more than the {} samples of the "
                    "training split",
                    batch_size,
                    data.train_samples),
        fmt::format("give more data, or --batch-size {} at most", data.train_samples));
  }
}

void check_budgets(std::span<const Flops> budgets,
                   const SizeFacts& smallest,
                   const DatasetInfo& data,
                   Parameters largest) {
  const double most_params = std::max(largest.value(), smallest.params.value());
  const double flops_of_pass = smallest.flops_per_unit / smallest.params.value() *
                               most_params * static_cast<double>(data.train_units());
  for (const Flops budget : budgets) {
    const double passes = budget.value() / flops_of_pass;
    if (passes > kMostPasses) {
      throw Error(
          ErrorCode::kConfiguration,
          fmt::format("a budget of {:.4g} FLOPs is {:.3g} passes over the training data "
                      "({} {}s) even for the largest model that this machine can train "
                      "({:.2g} parameters); allowed: {:.0f} passes, {:.3g} FLOPs",
                      budget.value(),
                      passes,
                      data.train_units(),
                      data.unit,
                      most_params,
                      kMostPasses,
                      kMostPasses * flops_of_pass),
          "give smaller --budgets, or more data");
    }
  }
}

std::string few_budgets_warning(std::span<const Flops> budgets) {
  std::vector<Flops> ascending(budgets.begin(), budgets.end());
  std::sort(ascending.begin(), ascending.end());
  std::size_t different = 0;
  double last = 0;
  for (const Flops budget : ascending) {
    if (budget.value() > kSameBudget * last) {
      ++different;
      last = budget.value();
    }
  }
  return different == 0 || different >= kLeastBudgets
             ? std::string()
             : fmt::format(
                   "{} training budget{}: a law needs {} or more, so this run will "
                   "recommend nothing; give more with --budgets",
                   different,
                   different == 1 ? "" : "s",
                   kLeastBudgets);
}

}  // namespace sizewise::planning

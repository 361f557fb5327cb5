#include "contract/invert_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::contract {
namespace {

/// The sizes that a manifest allows, by their rank, with the counts that were asked for.
class Ladder {
 public:
  Ladder(const SizeSpec& spec, const ParamsOfSize& params_of_size)
      : minimum_(spec.minimum),
        step_(std::max<int64_t>(spec.multiple_of, 1)),
        last_((spec.maximum - spec.minimum) / step_),
        params_of_size_(params_of_size) {}

  [[nodiscard]] int64_t size(int64_t rank) const { return minimum_ + rank * step_; }
  [[nodiscard]] int64_t last() const { return last_; }

  double params(int64_t rank) {
    const auto [entry, is_new] = params_.try_emplace(rank, 0);
    if (is_new) {
      entry->second = params_of_size_(size(rank));
    }
    return static_cast<double>(entry->second);
  }

  /// The next rank of a search upwards: half as large a size again, one rank at least.
  [[nodiscard]] int64_t above(int64_t rank) const {
    return std::min(last_, rank + std::max<int64_t>(size(rank) / step_ / 2, 1));
  }

 private:
  int64_t minimum_;
  int64_t step_;
  int64_t last_;
  const ParamsOfSize& params_of_size_;
  std::map<int64_t, int64_t> params_;
};

int64_t nearest_size(Ladder& ladder, double target) {
  int64_t low = 0;  // has fewer parameters than the target, unless it is the smallest
  int64_t high = 0;
  while (ladder.params(high) < target && high < ladder.last()) {
    low = high;
    high = ladder.above(high);
  }
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (ladder.params(middle) < target ? low : high) = middle;
  }
  const double below = std::abs(std::log(ladder.params(low) / target));
  const double above = std::abs(std::log(ladder.params(high) / target));
  return ladder.size(below <= above ? low : high);
}

}  // namespace

ParamsOfSize bounded_params_of_size(
    std::function<std::optional<int64_t>(int64_t size)> known,
    ParamsOfSize made,
    double largest) {
  int64_t too_large = std::numeric_limits<int64_t>::max();
  return [known = std::move(known), made = std::move(made), largest, too_large](
             int64_t size) mutable {
    if (const std::optional<int64_t> params = known(size)) {
      return *params;
    }
    if (size > too_large) {
      throw Error(
          ErrorCode::kConfiguration,
          fmt::format("to count its parameters a model of size {} would have to be made, "
                      "and size {} has more than {:.3g} already",
                      size,
                      too_large,
                      largest),
          "give the plugin a num_params_of(size, ...), which makes no model");
    }
    const int64_t params = made(size);
    if (static_cast<double>(params) > largest) {
      too_large = std::min(too_large, size);
    }
    return params;
  };
}

std::vector<int64_t> invert_sizes(const SizeSpec& spec,
                                  const std::vector<double>& targets,
                                  const ParamsOfSize& params_of_size) {
  Ladder ladder(spec, params_of_size);
  std::vector<int64_t> sizes;
  sizes.reserve(targets.size());
  for (const double target : targets) {
    if (!(target > 0)) {
      throw Error(
          ErrorCode::kConfiguration,
          fmt::format("a model of {} parameters was asked for; allowed: more than "
                      "0",
                      target));
    }
    sizes.push_back(nearest_size(ladder, target));
  }
  return sizes;
}

}  // namespace sizewise::contract

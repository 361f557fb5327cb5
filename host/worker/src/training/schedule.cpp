#include "training/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sizewise::training {
namespace {

/// The share of a trial's steps over which "wsd" decays.
constexpr double kDecayShare = 0.2;

}  // namespace

double peak_learning_rate(const Recipe& recipe, int64_t params) {
  return recipe.learning_rate *
         std::pow(static_cast<double>(params) / recipe.learning_rate_reference,
                  recipe.learning_rate_exponent);
}

double learning_rate_factor(const Recipe& recipe, int64_t step, int64_t steps) {
  const auto total = static_cast<double>(steps);
  const auto at = static_cast<double>(step);
  const double warmup = std::floor(recipe.warmup * total);
  if (at < warmup) {
    return (at + 1) / (warmup + 1);
  }
  if (recipe.schedule == "cosine") {
    const double progress = (at - warmup) / (total - warmup);
    return (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
  if (recipe.schedule == "wsd") {
    const double decay = std::max(std::ceil(kDecayShare * total), 1.0);
    return std::min(1.0, (total - at) / decay);
  }
  return 1.0;
}

}  // namespace sizewise::training

#include <cmath>
#include <vector>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "plugin_under_test.hpp"
#include "shipped_plugins.hpp"

namespace sizewise::testing {
namespace {

/// Outputs of a model (in double precision, for the differences) and what they are
/// compared with.
struct Sides {
  at::Tensor output;
  at::Tensor target;
};

std::vector<Sides> sorts_of_sides() {
  at::manual_seed(2);
  return {{at::randn({5, 7}, at::kDouble), at::randint(7, {5}, at::kLong)},
          {at::randn({2, 3, 4}, at::kDouble), at::randint(4, {2, 3}, at::kLong)},
          {at::randn({5, 3}, at::kDouble), at::randn({5, 3}, at::kDouble)}};
}

class LossConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    loss_ = make_loss(GetParam());
    for (const Sides& sides : sorts_of_sides()) {
      try {
        (void)compute(sides.output, sides.target);
        sides_.push_back(sides);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kPlugin) << error.message();
        EXPECT_NE(error.message().find("allowed"), std::string::npos) << error.message();
        EXPECT_FALSE(error.suggestion().empty()) << error.message();
      }
    }
    ASSERT_FALSE(sides_.empty()) << GetParam() << " takes no sort of output";
  }

  [[nodiscard]] LossValue compute(const at::Tensor& output,
                                  const at::Tensor& target,
                                  bool count_hits = false) const {
    return loss_->compute({{"output", output}}, {{"target", target}}, count_hits);
  }

  std::shared_ptr<Loss> loss_;
  std::vector<Sides> sides_;
};

TEST_P(LossConformance, IsOneFiniteNumberThatCanBeDifferentiated) {
  for (const Sides& sides : sides_) {
    const LossValue value =
        compute(sides.output.detach().requires_grad_(true), sides.target, true);
    EXPECT_EQ(value.mean.dim(), 0);
    EXPECT_TRUE(at::isfinite(value.mean).item<bool>());
    EXPECT_TRUE(value.mean.requires_grad());
    EXPECT_GE(value.units, sides.output.size(0));
    if (value.hits) {
      EXPECT_LE(value.hits->item<int64_t>(), value.units);
      EXPECT_GE(value.hits->item<int64_t>(), 0);
    }
    EXPECT_FALSE(compute(sides.output, sides.target).hits.has_value());
  }
}

TEST_P(LossConformance, HasTheGradientThatFiniteDifferencesGive) {
  constexpr double kStep = 1e-6;
  for (const Sides& sides : sides_) {
    const at::Tensor output = sides.output.clone().requires_grad_(true);
    compute(output, sides.target).mean.backward();
    const at::Tensor gradient = output.grad().flatten();
    const at::NoGradGuard no_grad;
    at::Tensor moved = sides.output.clone();
    const auto loss_with = [&](int64_t place, double value) {
      moved.view({-1})[place] = value;
      return compute(moved, sides.target).mean.item<double>();
    };
    for (int64_t place = 0; place < gradient.numel(); ++place) {
      const double here = sides.output.flatten()[place].item<double>();
      const double difference =
          (loss_with(place, here + kStep) - loss_with(place, here - kStep)) /
          (2.0 * kStep);
      (void)loss_with(place, here);
      EXPECT_NEAR(gradient[place].item<double>(), difference, 1e-8) << place;
    }
  }
}

TEST_P(LossConformance, IsAMeanOverUnits) {
  // Two batches' means, weighted by their units, are the mean of both together.
  for (const Sides& sides : sides_) {
    const auto part = [&](int64_t begin, int64_t end) {
      return compute(sides.output.slice(0, begin, end),
                     sides.target.slice(0, begin, end));
    };
    const LossValue whole = part(0, sides.output.size(0));
    const LossValue first = part(0, 1);
    const LossValue rest = part(1, sides.output.size(0));
    EXPECT_EQ(first.units + rest.units, whole.units);
    EXPECT_NEAR((first.mean.item<double>() * static_cast<double>(first.units) +
                 rest.mean.item<double>() * static_cast<double>(rest.units)) /
                    static_cast<double>(whole.units),
                whole.mean.item<double>(),
                1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         LossConformance,
                         ::testing::ValuesIn(shipped_plugins(PluginKind::kLoss)),
                         id_of_case);

}  // namespace
}  // namespace sizewise::testing

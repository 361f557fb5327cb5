#include <cmath>

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CrossEntropy, IsTheMeanOverLabelsInNats) {
  const auto loss = make_loss("cross_entropy");
  // Of four equally likely classes each has ln 4.
  const LossValue uniform = loss->compute({{"output", at::zeros({2, 3, 4})}},
                                          {{"target", at::zeros({2, 3}, at::kLong)}},
                                          false);
  EXPECT_FLOAT_EQ(uniform.mean.item<float>(), std::log(4.0F));
  EXPECT_EQ(uniform.units, 6);
  EXPECT_FALSE(uniform.hits.has_value());

  const at::Tensor scores = at::tensor({2.0, 0.0, 0.0, 1.0}, at::kDouble).view({2, 2});
  const LossValue value =
      loss->compute({{"output", scores}}, {{"target", at::zeros({2}, at::kLong)}}, true);
  const double expected =
      (std::log(1.0 + std::exp(-2.0)) + std::log(1.0 + std::exp(1.0))) / 2.0;
  EXPECT_NEAR(value.mean.item<double>(), expected, 1e-12);
  EXPECT_EQ(value.hits->item<int64_t>(), 1);
  EXPECT_EQ(value.hits->scalar_type(), at::kLong);
}

TEST(CrossEntropy, CountsNoUnitWhereThereIsNoLabel) {
  const auto loss = make_loss("cross_entropy");
  const at::Tensor scores = at::tensor({0.0, 0.0, 5.0, 0.0}, at::kDouble).view({2, 2});
  const at::Tensor target = at::tensor({1, -100}, at::kLong);
  const LossValue value = loss->compute({{"output", scores}}, {{"target", target}}, true);
  EXPECT_DOUBLE_EQ(value.mean.item<double>(), std::log(2.0));
  EXPECT_EQ(value.units, 1);
}

TEST(CrossEntropy, KeepsItsDigitsOnBfloat16Scores) {
  const auto loss = make_loss("cross_entropy");
  const LossValue value = loss->compute({{"output", at::zeros({1, 1000}, at::kBFloat16)}},
                                        {{"target", at::zeros({1}, at::kLong)}},
                                        false);
  EXPECT_EQ(value.mean.scalar_type(), at::kFloat);
  EXPECT_NEAR(value.mean.item<double>(), std::log(1000.0), 1e-5);
}

TEST(CrossEntropy, NamesBothSidesWhereTheyDoNotFit) {
  const auto loss = make_loss("cross_entropy");
  const auto refusal = [&](const at::Tensor& output, const at::Tensor& target) {
    return error_of([&] {
      (void)loss->compute({{"output", output}}, {{"target", target}}, false);
    });
  };
  EXPECT_THAT(refusal(at::zeros({2, 3}), at::zeros({3}, at::kLong)),
              AllOf(StartsWith("plugin: cross_entropy"),
                    HasSubstr("'output' is CPUFloatType [2, 3]"),
                    HasSubstr("'target' is CPULongType [3]"),
                    HasSubstr("allowed: ")));
  EXPECT_THAT(refusal(at::zeros({2, 3}), at::zeros({2})), HasSubstr("--loss mse"));
  EXPECT_THAT(refusal(at::zeros({2}), at::zeros({2}, at::kLong)), HasSubstr("[2]"));
  EXPECT_THAT(refusal(at::zeros({2, 3}, at::kLong), at::zeros({2}, at::kLong)),
              HasSubstr("CPULongType [2, 3]"));
  EXPECT_THAT(error_of([&] {
                (void)loss->compute({{"logits", at::zeros({1})}}, {}, false);
              }),
              HasSubstr("no tensor 'output'; there are: logits"));
}

TEST(MeanSquaredError, IsTheMeanOverNumbersThenSamples) {
  const auto loss = make_loss("mse");
  const LossValue value =
      loss->compute({{"output", at::tensor({1.0, 2.0, 3.0, 4.0}).view({2, 2})}},
                    {{"target", at::tensor({1.0, 0.0, 3.0, 3.0}).view({2, 2})}},
                    true);
  EXPECT_DOUBLE_EQ(value.mean.item<double>(), (0.0 + 4.0 + 0.0 + 1.0) / 4.0);
  EXPECT_EQ(value.units, 2);
  EXPECT_FALSE(value.hits.has_value());
}

TEST(MeanSquaredError, NamesBothSidesWhereTheyDoNotFit) {
  const auto loss = make_loss("mse");
  const auto refusal = [&](const at::Tensor& output, const at::Tensor& target) {
    return error_of([&] {
      (void)loss->compute({{"output", output}}, {{"target", target}}, false);
    });
  };
  // One column against none would broadcast to a table.
  EXPECT_THAT(refusal(at::zeros({4, 1}), at::zeros({4})),
              AllOf(StartsWith("plugin: mse"), HasSubstr("[4, 1]"), HasSubstr("[4]")));
  EXPECT_THAT(refusal(at::zeros({4}), at::zeros({4}, at::kLong)),
              HasSubstr("--loss cross_entropy"));
}

}  // namespace
}  // namespace sizewise::testing

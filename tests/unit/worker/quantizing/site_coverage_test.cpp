#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include "quantizing/coverage_rows.hpp"
#include "quantizing/float_kernel.hpp"

// What becomes of the ways in which modules use their weights, with and without
// gradients.
namespace sizewise::quantizing {
namespace {

using test::FloatKernel;
using test::Row;
using test::Subject;
using test::Verdict;
using ::testing::HasSubstr;

/// What one forward pass, and with gradients a backward pass, gave.
struct Outcome {
  at::Tensor output;
  at::Tensor gradient;  ///< with respect to the input; undefined where there is none
};

Outcome run(const Subject& subject, bool gradients) {
  const at::AutoGradMode mode(gradients);
  const at::Tensor input = subject.input.clone();
  if (gradients && input.is_floating_point()) {
    input.set_requires_grad(true);
  }
  const at::Tensor output = subject.forward(input);
  if (gradients && input.requires_grad() && output.requires_grad()) {
    output.sum().backward();
  }
  return {output.detach(), input.grad()};
}

void expect_same_values(const at::Tensor& got, const at::Tensor& expected) {
  ASSERT_EQ(got.defined(), expected.defined());
  if (got.defined()) {
    ASSERT_EQ(got.scalar_type(), expected.scalar_type());
    // Rows of one more or one less dimension may be summed in another order.
    EXPECT_TRUE(got.allclose(expected, 1e-5, 1e-6));
  }
}

/// Sites on all the weights of a module, which compute in float.
struct Sites {
  explicit Sites(const torch::nn::Module& module) {
    for (const auto& parameter : module.named_parameters()) {
      if (parameter.value().dim() >= 2) {
        kernels.push_back(test::float_kernel(parameter.key(), parameter.value()));
        sites.emplace_back(parameter.value(), kernels.back());
      }
    }
  }

  [[nodiscard]] Verdict verdict() const {
    bool routed = false;
    bool dequantized = false;
    for (const auto& kernel : kernels) {
      routed = routed || kernel->routed > 0;
      dequantized = dequantized || !kernel->dequantized.empty();
    }
    if (routed) {
      return dequantized ? Verdict::kPartly : Verdict::kKernel;
    }
    EXPECT_TRUE(dequantized) << "no operator used a weight";
    return Verdict::kFallback;
  }

  std::vector<std::shared_ptr<FloatKernel>> kernels;
  std::vector<TemporarySite> sites;
};

/// A row, whether gradients are recorded, and whether the module is in training mode.
class SiteCoverage : public ::testing::TestWithParam<std::tuple<Row, bool, bool>> {};

TEST_P(SiteCoverage, IsAsTheTableSays) {
  const auto& [row, gradients, training] = GetParam();
  torch::manual_seed(1);
  const Subject subject = row.make();
  subject.module->train(training);
  const std::vector<at::Tensor> weights = subject.module->parameters();
  std::vector<at::Tensor> numbers;
  std::vector<const void*> memory;
  for (const at::Tensor& weight : weights) {
    numbers.push_back(weight.detach().clone());
    memory.push_back(weight.const_data_ptr());
  }
  if (row.verdict == Verdict::kThrows) {
    const Sites sites(*subject.module);
    EXPECT_THAT(test::message_of([&, with = gradients] {
                  run(subject, with);
                }),
                HasSubstr(row.message));
  } else {
    const Outcome expected = run(subject, gradients);
    const Sites sites(*subject.module);
    const Outcome outcome = run(subject, gradients);
    expect_same_values(outcome.output, expected.output);
    expect_same_values(outcome.gradient, expected.gradient);
    EXPECT_EQ(sites.verdict(), row.verdict);
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(weights[i].const_data_ptr(), memory[i]);
    EXPECT_TRUE(weights[i].equal(numbers[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows,
                         SiteCoverage,
                         ::testing::Combine(::testing::ValuesIn(test::coverage_rows()),
                                            ::testing::Bool(),
                                            ::testing::Bool()),
                         [](const auto& instance) {
                           return std::get<0>(instance.param).name +
                                  (std::get<1>(instance.param) ? "WithGradients"
                                                               : "WithoutGradients") +
                                  (std::get<2>(instance.param) ? "Training" : "Eval");
                         });

}  // namespace
}  // namespace sizewise::quantizing

#include <string>
#include <tuple>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/quantize.hpp"

#include "quantizing/quantize_calls.hpp"
#include "support/temporary_folder.hpp"

// quantize() on layers other than linear ones.
namespace sizewise {
namespace {

using test::relative_difference;
using test::with;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// What convolutions, attention and recurrent layers hold: five weights.
struct MixedImpl : torch::nn::Cloneable<MixedImpl> {
  MixedImpl() { reset(); }
  void reset() override {
    conv = register_module("conv", torch::nn::Conv1d(torch::nn::Conv1dOptions(8, 16, 3)));
    attention = register_module(
        "attention",
        torch::nn::MultiheadAttention(torch::nn::MultiheadAttentionOptions(16, 4)));
    gru = register_module("gru", torch::nn::GRU(torch::nn::GRUOptions(16, 16)));
  }
  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor steps = conv->forward(input).permute({2, 0, 1});
    const at::Tensor mixed = std::get<0>(attention->forward(steps, steps, steps));
    return std::get<0>(gru->forward(mixed));
  }
  torch::nn::Conv1d conv{nullptr};
  torch::nn::MultiheadAttention attention{nullptr};
  torch::nn::GRU gru{nullptr};
};

TEST(Quantize, RunsConvolutionsAttentionAndRecurrentLayers) {
  at::manual_seed(4);
  const auto module = std::make_shared<MixedImpl>();
  const at::Tensor input = at::randn({2, 8, 12});
  const at::Tensor exact = module->forward(input);
  for (const char* const quantizer : {"per_channel", "dynamic", "static"}) {
    const test::TemporaryFolder folder;
    QuantizationResult result = quantize(module, {input}, with(quantizer));
    ASSERT_TRUE(result) << quantizer;
    EXPECT_THAT(result.info.layers, SizeIs(5)) << quantizer;
    EXPECT_THAT(result.info.skipped, IsEmpty()) << quantizer;
    const at::Tensor output = result.as<MixedImpl>()->forward(input);
    EXPECT_LT(relative_difference(output, exact), 0.1) << quantizer;
    EXPECT_GT(relative_difference(output, exact), 1e-6) << quantizer;
    result.save(folder.path());
    const auto fresh = std::make_shared<MixedImpl>();
    load_quantized(*fresh, folder.path());
    EXPECT_TRUE(at::equal(fresh->forward(input), output)) << quantizer;
  }
}

}  // namespace
}  // namespace sizewise

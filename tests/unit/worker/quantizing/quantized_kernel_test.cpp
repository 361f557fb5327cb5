#include "quantizing/quantized_kernel.hpp"

#include <limits>
#include <string>
#include <vector>

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/linear.h>
#include <torch/nn/modules/linear.h>

#include "quantizing/made_up_weights.hpp"

// What a quantized linear layer does with its inputs besides multiplying them.
namespace sizewise::quantizing {
namespace {

using test::error_of;
using test::LayerPlan;
using test::made_kernel;
using test::made_numbers;
using test::made_weight;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

const std::vector<ActivationTreatment> kTreatments{ActivationTreatment::kNone,
                                                   ActivationTreatment::kDynamicPerTensor,
                                                   ActivationTreatment::kDynamicPerToken,
                                                   ActivationTreatment::kStatic};

TEST(QuantizedKernel, TakesAnyLayoutOfRows) {
  torch::manual_seed(1);
  for (const auto activation : kTreatments) {
    LayerPlan plan{40, 96};
    plan.activation = activation;
    const auto kernel = made_kernel(plan);
    const at::Tensor x = torch::randn({5, 96});
    const at::Tensor expected = kernel->linear(x, std::nullopt);
    EXPECT_TRUE(kernel->linear(x.t().contiguous().t(), std::nullopt).equal(expected));
    const at::Tensor wide = torch::randn({5, 200});
    wide.narrow(1, 50, 96).copy_(x);
    EXPECT_TRUE(kernel->linear(wide.narrow(1, 50, 96), std::nullopt).equal(expected));
    const at::Tensor same = x.narrow(0, 2, 1);
    const at::Tensor once = kernel->linear(same, std::nullopt);
    EXPECT_TRUE(
        kernel->linear(same.expand({3, 96}), std::nullopt).equal(once.expand({3, 40})));
  }
}

TEST(QuantizedKernel, TakesEmptyInputs) {
  for (const int bits : {4, 8, 16}) {
    for (const auto activation : kTreatments) {
      if (bits == 16 && activation != ActivationTreatment::kNone) {
        continue;
      }
      LayerPlan plan{6, 32, bits};
      plan.activation = activation;
      const at::Tensor none =
          made_kernel(plan)->linear(torch::empty({0, 32}), torch::ones({6}));
      EXPECT_EQ(none.sizes(), (std::vector<int64_t>{0, 6}));
      plan.columns = 0;
      const at::Tensor bias = torch::randn({6});
      EXPECT_TRUE(made_kernel(plan)
                      ->linear(torch::empty({2, 0}), bias)
                      .equal(bias.expand({2, 6})));
    }
  }
}

TEST(QuantizedKernel, NamesTheLayerAndPlaceOfWhatIsNotFinite) {
  for (const int bits : {4, 8}) {
    for (const auto activation : kTreatments) {
      LayerPlan plan{64, 1024, bits};
      plan.activation = activation;
      const auto kernel = made_kernel(plan);
      const at::Tensor x = torch::randn({70, 1024});
      x[66][3] = kInfinity;
      x[41][7] = kNan;
      const Error error = error_of([&] {
        (void)kernel->linear(x, std::nullopt);
      });
      EXPECT_EQ(error.code(), ErrorCode::kQuantization);
      EXPECT_EQ(error.message(),
                "the input of layer 'blocks.0.fc1' is NaN at row 41, column 7; a "
                "quantized layer takes finite numbers only");
      EXPECT_THAT(error.suggestion(), HasSubstr("--exclude 'blocks.0.fc1'"));
      x[41][7] = -kInfinity;
      EXPECT_THAT(error_of([&] {
                    (void)kernel->linear(x, std::nullopt);
                  }).message(),
                  HasSubstr("is infinite at row 41"));
    }
  }
}

TEST(QuantizedKernel, SaturatesStaticInputs) {
  LayerPlan plan{8, 32};
  plan.activation = ActivationTreatment::kStatic;  // scale 0.02, zero point 100
  const auto kernel = made_kernel(plan);
  const at::Tensor most = kernel->linear(torch::full({1, 32}, 3.1), std::nullopt);
  EXPECT_TRUE(kernel->linear(torch::full({1, 32}, 1e30), std::nullopt).equal(most));
  const at::Tensor least = kernel->linear(torch::full({1, 32}, -2.0), std::nullopt);
  EXPECT_TRUE(kernel->linear(torch::full({1, 32}, -7.0), std::nullopt).equal(least));
  EXPECT_FALSE(most.equal(least));
}

TEST(QuantizedKernel, DividesInputsByTheirScaleFirst) {
  torch::manual_seed(2);
  for (const int bits : {4, 8, 16}) {
    LayerPlan plan{20, 64, bits};
    plan.activation =
        bits == 16 ? ActivationTreatment::kNone : ActivationTreatment::kDynamicPerToken;
    QuantizedWeight weight = made_weight(plan);
    const auto plain = make_kernel(weight);
    weight.numbers.input_scale = torch::rand({64}) + 0.5;
    const auto scaled = make_kernel(weight);
    const at::Tensor x = torch::randn({3, 64});
    const at::Tensor& scale = weight.numbers.input_scale;
    EXPECT_TRUE(
        scaled->linear(x, std::nullopt).equal(plain->linear(x / scale, std::nullopt)));
    EXPECT_TRUE(scaled->dense().equal(plain->dense() / scale));
    EXPECT_TRUE(scaled->dense().equal(decoded(weight.numbers)));
    EXPECT_GT(scaled->bytes(), plain->bytes());
  }
}

TEST(QuantizedKernel, DecodesTheWeightOfEveryKind) {
  torch::manual_seed(3);
  for (const int bits : {2, 4, 5, 8, 16}) {
    for (const auto scheme : {Scheme::kSymmetric, Scheme::kAsymmetric}) {
      for (const int64_t group_size : {0, 6, 16}) {
        LayerPlan plan{70, 48, bits, bits == 16 ? Scheme::kSymmetric : scheme};
        plan.activation = ActivationTreatment::kNone;
        if (group_size > 0 && bits < 16) {
          plan.granularity = Granularity::kGroup;
          plan.group_size = group_size;
        }
        const QuantizedWeight weight = made_weight(plan);
        EXPECT_TRUE(make_kernel(weight)->dense().equal(decoded(weight.numbers)))
            << bits << " bits, groups of " << group_size;
      }
    }
  }
}

TEST(QuantizedKernel, KeepsTheTypeOfItsInputs) {
  torch::manual_seed(4);
  for (const int bits : {4, 8, 16}) {
    LayerPlan plan{12, 64, bits};
    plan.activation =
        bits == 16 ? ActivationTreatment::kNone : ActivationTreatment::kDynamicPerToken;
    const auto kernel = made_kernel(plan);
    const at::Tensor x = torch::randn({3, 64}).to(torch::kBFloat16);
    const at::Tensor bias = torch::randn({12}).to(torch::kBFloat16);
    const at::Tensor expected =
        kernel->linear(x.to(torch::kFloat), bias.to(torch::kFloat));
    for (const auto type : {torch::kDouble, torch::kHalf, torch::kBFloat16}) {
      const at::Tensor output = kernel->linear(x.to(type), bias.to(type));
      EXPECT_EQ(output.scalar_type(), type);
      EXPECT_TRUE(output.equal(expected.to(type)));
    }
  }
}

TEST(QuantizedKernel, ReturnsWhatAutocastWouldHaveReturned) {
  torch::manual_seed(5);
  torch::nn::Linear layer(64, 12);
  const at::Tensor x = torch::randn({3, 64});
  const auto kernel = made_kernel({12, 64});
  const at::NoGradGuard no_gradients;
  const at::Tensor plain = kernel->linear(x, layer->bias);
  const TemporarySite site(layer->weight, kernel);
  for (const auto type : {torch::kBFloat16, torch::kHalf}) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, type);
    const at::Tensor output = layer(x);
    const at::Tensor of_half = layer(x.to(type));
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
    EXPECT_EQ(output.scalar_type(), type);
    EXPECT_TRUE(output.equal(plain.to(type)));
    EXPECT_EQ(of_half.scalar_type(), type);
  }
  EXPECT_TRUE(layer(x).equal(plain));
}

TEST(QuantizedKernel, ServesAModuleOfDoubles) {
  torch::manual_seed(6);
  torch::nn::Linear layer(64, 12);
  layer->to(torch::kDouble);
  const auto kernel = made_kernel({12, 64});
  const at::Tensor x = torch::randn({3, 64}, torch::kDouble);
  const at::Tensor bias = layer->bias.detach();
  const TemporarySite site(layer->weight, kernel);
  EXPECT_EQ(layer(x).scalar_type(), torch::kDouble);
  EXPECT_EQ((layer->weight + 0).scalar_type(), torch::kDouble);
  EXPECT_TRUE(torch::mv(layer->weight, x[0])
                  .allclose(torch::mv(kernel->dense().to(torch::kDouble), x[0])));
}

TEST(QuantizedKernel, PassesGradientsStraightThrough) {
  torch::manual_seed(7);
  for (const int bits : {4, 8, 16}) {
    LayerPlan plan{12, 64, bits};
    plan.activation =
        bits == 16 ? ActivationTreatment::kNone : ActivationTreatment::kDynamicPerToken;
    const auto kernel = made_kernel(plan);
    const at::Tensor x = torch::randn({3, 64}, torch::requires_grad());
    const at::Tensor bias = torch::randn({12}, torch::requires_grad());
    const at::Tensor output = kernel->linear(x, bias);
    const at::Tensor factor = torch::randn({3, 12});
    (output * factor).sum().backward();
    EXPECT_TRUE(x.grad().allclose(factor.matmul(kernel->dense()), 1e-5, 1e-4));
    EXPECT_TRUE(bias.grad().allclose(factor.sum(0)));
    const at::NoGradGuard no_gradients;
    EXPECT_FALSE(kernel->linear(x, bias).requires_grad());
    EXPECT_TRUE(kernel->linear(x, bias).equal(output));
  }
}

TEST(QuantizedKernel, PassesGradientsOfTheBiasAlone) {
  const auto kernel = made_kernel({12, 64});
  const at::Tensor x = torch::randn({3, 64});
  const at::Tensor bias = torch::randn({12}, torch::requires_grad());
  const at::Tensor output = kernel->linear(x, bias);
  output.sum().backward();
  EXPECT_TRUE(bias.grad().equal(torch::full({12}, 3.0)));
  EXPECT_TRUE(output.detach().equal(kernel->linear(x, bias.detach())));
}

TEST(QuantizedKernel, GradientsOutliveTheKernelAndReachHalfInputs) {
  auto kernel = made_kernel({12, 64});
  const at::Tensor dense = kernel->dense();
  const at::Tensor x = torch::randn({3, 64}).to(torch::kBFloat16).requires_grad_();
  const at::Tensor output = kernel->linear(x, std::nullopt);
  kernel.reset();
  output.sum().backward();
  EXPECT_EQ(x.grad().scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(x.grad()[0].to(torch::kFloat).allclose(dense.sum(0), 0.02, 0.02));
}

TEST(QuantizedKernel, SaysWhatRunsAndHowMuchMemoryItTakes) {
  LayerPlan plan{512, 1024};
  plan.activation = ActivationTreatment::kDynamicPerToken;
  const auto int8 = made_kernel(plan);
  EXPECT_THAT(int8->route(), HasSubstr("int8 "));
  EXPECT_EQ(int8->name(), "blocks.0.fc1");
  constexpr int64_t kNumbers = 512 * 1024;
  EXPECT_GE(int8->bytes(), kNumbers);
  EXPECT_LE(int8->bytes(), kNumbers * 102 / 100);
  plan.bits = 4;
  const auto int4 = made_kernel(plan);
  EXPECT_THAT(int4->route(), HasSubstr("int4 "));
  EXPECT_GE(int4->bytes(), kNumbers / 2);
  EXPECT_LE(int4->bytes(), kNumbers / 2 * 102 / 100);
  plan.granularity = Granularity::kGroup;
  plan.group_size = 4;
  EXPECT_THAT(made_kernel(plan)->route(),
              AllOf(HasSubstr("int8 "), HasSubstr("by groups")));
  plan = {512, 1024, 16};
  plan.activation = ActivationTreatment::kNone;
  EXPECT_THAT(made_kernel(plan)->route(), HasSubstr("bfloat16"));
  EXPECT_EQ(made_kernel(plan)->bytes(), 2 * kNumbers);
}

TEST(QuantizedKernel, RunsBehindASite) {
  torch::manual_seed(8);
  torch::nn::Linear layer(64, 12);
  const auto kernel = made_kernel({12, 64});
  const at::Tensor x = torch::randn({2, 3, 64});
  const at::NoGradGuard no_gradients;
  const TemporarySite site(layer->weight, kernel);
  const at::Tensor expected = kernel->linear(x.reshape({6, 64}), layer->bias);
  EXPECT_TRUE(layer(x).equal(expected.reshape({2, 3, 12})));
}

TEST(QuantizedKernel, RefusesAShapeThatIsNoLayer) {
  QuantizedWeight weight = made_weight({12, 64});
  weight.shape = {12, 8, 8};
  EXPECT_EQ(error_of([&] {
              (void)make_kernel(weight);
            }).message(),
            "the weight of layer 'blocks.0.fc1' has 3 dimensions; needed: 2");
  weight.use = WeightUse::kConvolution;
  weight.shape = {12, 64};
  EXPECT_EQ(error_of([&] {
              (void)make_kernel(weight);
            }).message(),
            "the weight of layer 'blocks.0.fc1' has 2 dimensions; needed: 3 or more");
}

TEST(QuantizedKernel, RunsAConvolutionOf16Bits) {
  torch::manual_seed(9);
  const at::Tensor values = torch::randn({6, 3, 5});
  QuantizedWeight weight;
  weight.name = "conv.weight";
  weight.use = WeightUse::kConvolution;
  weight.kind = LayerKind::kConv1d;
  weight.shape = {6, 3, 5};
  weight.numbers.bits = 16;
  weight.numbers.codes = weight_matrix(values, weight.use).to(torch::kHalf);
  const auto kernel = make_kernel(weight);
  const at::Tensor x = torch::randn({2, 3, 20}, torch::requires_grad());
  const at::Tensor bias = torch::randn({6});
  const ConvolutionGeometry geometry{{1}, {2}, {1}, {0}};
  const at::Tensor output = kernel->convolution(x, bias, geometry);
  EXPECT_TRUE(output.allclose(torch::conv1d(x, values, bias, 1, 2), 1e-2, 1e-2));
  EXPECT_TRUE(kernel->dense().equal(values.to(torch::kHalf).to(torch::kFloat)));
  EXPECT_TRUE(output.requires_grad());
  EXPECT_EQ(kernel->bytes(), 2 * 6 * 3 * 5);
}

}  // namespace
}  // namespace sizewise::quantizing

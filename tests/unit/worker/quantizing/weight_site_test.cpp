#include "quantizing/weight_site.hpp"

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>
#include <torch/optim/sgd.h>
#include <torch/serialize.h>

#include "sizewise/error.hpp"

#include "quantizing/float_kernel.hpp"

namespace sizewise::quantizing {
namespace {

using test::float_kernel;
using test::FloatKernel;
using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A square linear layer, so that only the orientation tells w from w.t(), with a site.
struct SquareLayer {
  torch::nn::Linear layer{8, 8};
  at::Tensor weight = layer->weight;  // the same tensor: it becomes the site, too
  at::Tensor numbers = layer->weight.detach().clone();
  at::Tensor input = torch::randn({4, 8});
  std::shared_ptr<FloatKernel> kernel = float_kernel("fc", layer->weight);
  TemporarySite site{layer->weight, kernel};
};

TEST(WeightSite, KeyWorksInThisLibTorch) {
  EXPECT_EQ(fault_of_site_key(), "");
}

TEST(WeightSite, ComesAndGoesInPlace) {
  torch::nn::Linear layer(3, 2);
  const at::Tensor numbers = layer->weight.detach().clone();
  const void* memory = layer->weight.const_data_ptr();
  const uint32_t version = layer->weight._version();
  const auto kernel = float_kernel("fc", layer->weight);

  const at::Tensor original = install_site(layer->weight, kernel);
  EXPECT_EQ(site_kernel(layer->weight), kernel.get());
  EXPECT_EQ(site_kernel(layer->parameters().front()), kernel.get());
  EXPECT_FALSE(layer->weight.requires_grad());
  EXPECT_EQ(layer->weight.sizes(), numbers.sizes());
  EXPECT_EQ(original.const_data_ptr(), memory);

  remove_site(layer->weight, original);
  EXPECT_EQ(site_kernel(layer->weight), nullptr);
  EXPECT_EQ(layer->weight.const_data_ptr(), memory);
  EXPECT_TRUE(layer->weight.requires_grad());
  EXPECT_TRUE(layer->weight.is_leaf());
  EXPECT_EQ(layer->weight._version(), version);
  EXPECT_TRUE(layer->weight.equal(numbers));
  EXPECT_EQ(kernel.use_count(), 1);
}

TEST(WeightSite, TrainsOnAfterItIsRemoved) {
  torch::nn::Linear layer(3, 2);
  {
    const TemporarySite site(layer->weight, float_kernel("fc", layer->weight));
  }
  layer(torch::ones({1, 3})).sum().backward();
  EXPECT_TRUE(layer->weight.grad().equal(torch::ones({2, 3})));
}

TEST(WeightSite, KeepsStridesAndType) {
  at::Tensor weight =
      torch::randn({4, 3, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  weight = weight.to(at::kDouble);
  const std::vector<int64_t> strides = weight.strides().vec();
  const TemporarySite site(weight, float_kernel("conv", weight));
  EXPECT_EQ(weight.strides().vec(), strides);
  EXPECT_EQ(weight.scalar_type(), at::kDouble);
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(WeightSite, WorksOnAWeightMadeInInferenceMode) {
  std::optional<torch::nn::Linear> layer;
  {
    const c10::InferenceMode inference;
    layer.emplace(3, 2);
  }
  const at::Tensor input = torch::ones({1, 3});
  const c10::InferenceMode inference;
  const at::Tensor expected = (*layer)(input);
  {
    const auto kernel = float_kernel("fc", (*layer)->weight);
    const TemporarySite site((*layer)->weight, kernel);
    EXPECT_TRUE((*layer)(input).equal(expected));
    EXPECT_EQ(kernel->routed, 1);
  }
  EXPECT_TRUE((*layer)(input).equal(expected));
}

TEST(WeightSite, RefusesWhatIsNoWeight) {
  const auto refusal = [](const at::Tensor& weight) {
    return message_of([&] {
      (void)install_site(weight, std::make_shared<FloatKernel>("fc", at::Tensor()));
    });
  };
  EXPECT_EQ(refusal(at::Tensor()), "the weight of 'fc' is undefined");
  EXPECT_EQ(refusal(torch::ones({3})),
            "the weight of 'fc' has 1 dimensions; it needs 2 or more");
  EXPECT_EQ(refusal(torch::eye(3).to_sparse()),
            "the weight of 'fc' is no plain strided tensor");
  const SquareLayer square;
  EXPECT_EQ(refusal(square.weight), "the weight of 'fc' is quantized already");
  EXPECT_THROW(remove_site(torch::ones({2, 2}), torch::ones({2, 2})), Error);
}

TEST(WeightSite, RoutesOnlyTheOrientationOfALinearLayer) {
  const SquareLayer s;
  const at::Tensor expected = s.input.matmul(s.numbers.t());
  EXPECT_TRUE(s.input.matmul(s.weight.t()).allclose(expected));
  EXPECT_TRUE(s.input.matmul(s.weight.transpose(-1, 0)).allclose(expected));
  EXPECT_TRUE(s.input.mm(s.weight.t()).allclose(expected));
  EXPECT_TRUE(s.input.matmul(s.weight.t().t().t()).allclose(expected));
  EXPECT_EQ(s.kernel->routed, 4);
  EXPECT_THAT(s.kernel->dequantized, IsEmpty());

  EXPECT_TRUE(s.input.matmul(s.weight).allclose(s.input.matmul(s.numbers)));
  EXPECT_TRUE(torch::linear(s.input, s.weight.t()).allclose(s.input.mm(s.numbers)));
  EXPECT_TRUE(s.weight.mm(s.input.t()).allclose(s.numbers.mm(s.input.t())));
  EXPECT_TRUE(s.weight.matmul(s.weight.t()).allclose(s.numbers.mm(s.numbers.t())));
  EXPECT_EQ(s.kernel->routed, 4);
  EXPECT_THAT(s.kernel->dequantized,
              ElementsAre("aten::linear", "aten::matmul", "aten::mm"));
}

TEST(WeightSite, ComparesAlphaAndBetaOfAddmm) {
  const SquareLayer s;
  const at::Tensor bias = torch::randn({8});
  const at::Tensor wide = torch::randn({4, 8});
  const auto agrees = [&](const at::Tensor& added, double beta, double alpha) {
    return torch::addmm(added, s.input, s.weight.t(), beta, alpha)
        .allclose(torch::addmm(added, s.input, s.numbers.t(), beta, alpha), 1e-5, 1e-6);
  };
  EXPECT_TRUE(agrees(bias, 1, 1));
  EXPECT_EQ(s.kernel->routed, 1);
  EXPECT_TRUE(agrees(bias, 2, 1));
  EXPECT_TRUE(agrees(bias, 1, 0.5));
  EXPECT_TRUE(agrees(wide, 1, 1));
  EXPECT_EQ(s.kernel->routed, 1);
}

TEST(WeightSite, TakesAnyNumberOfRows) {
  const SquareLayer s;
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
           {8}, {0, 8}, {1, 8}, {2, 3, 8}, {2, 0, 8}, {2, 3, 4, 8}}) {
    const at::Tensor input = torch::randn(shape);
    const at::Tensor output = torch::linear(input, s.weight);
    EXPECT_EQ(output.sizes(), input.sizes());
    EXPECT_TRUE(output.allclose(torch::linear(input, s.numbers), 1e-5, 1e-6));
  }
  EXPECT_EQ(s.kernel->routed, 6);
}

TEST(WeightSite, LeavesWrongInputsToLibTorchsMessages) {
  const SquareLayer s;
  EXPECT_THAT(message_of([&] {
                torch::linear(torch::ones({2, 7}), s.weight);
              }),
              HasSubstr("shapes cannot be multiplied"));
  EXPECT_THAT(message_of([&] {
                torch::linear(torch::ones({2, 8}, at::kDouble), s.weight);
              }),
              HasSubstr("dtype"));
  EXPECT_EQ(s.kernel->routed, 0);
}

TEST(WeightSite, RefusesWritesNamingLayerAndOperator) {
  const at::NoGradGuard no_gradients;
  const SquareLayer s;
  EXPECT_EQ(
      message_of([&] {
        s.weight.mul_(2);
      }),
      "aten::mul_.Scalar writes to the weight of layer 'fc', which is quantized and "
      "cannot be written");
  EXPECT_THAT(message_of([&] {
                s.weight.t().zero_();
              }),
              HasSubstr("aten::zero_"));
  EXPECT_THAT(message_of([&] {
                s.weight.detach().add_(1);
              }),
              HasSubstr("aten::add_"));
  EXPECT_THAT(message_of([&] {
                s.weight.data().add_(1);
              }),
              HasSubstr("aten::add_"));
  at::Tensor out = s.weight;
  EXPECT_THAT(message_of([&] {
                at::add_out(out, s.input, s.input);
              }),
              HasSubstr("aten::add.out"));
}

TEST(WeightSite, RefusesWritesThroughViews) {
  const at::NoGradGuard no_gradients;
  const SquareLayer s;
  const auto refusal = [](at::Tensor view) {
    return message_of([&] {
      view.mul_(2);
    });
  };
  const auto names_the_layer = HasSubstr("writes to the weight of layer 'fc'");
  EXPECT_THAT(refusal(s.weight[0]), names_the_layer);
  EXPECT_THAT(refusal(s.weight[0][1]), names_the_layer);
  EXPECT_THAT(refusal(s.weight.view({-1})), names_the_layer);
  EXPECT_THAT(refusal(s.weight.reshape({-1}).detach()), names_the_layer);
  EXPECT_THAT(refusal(s.weight.chunk(2)[1]), names_the_layer);
  EXPECT_THAT(refusal(s.weight.unbind()[1].unsqueeze(0).t()), names_the_layer);
  EXPECT_EQ(refusal(s.weight.clone()), "");
  EXPECT_TRUE((s.weight[0] + 0).equal(s.numbers[0]));
  EXPECT_TRUE((s.weight.t()[1] + 0).equal(s.numbers.t()[1]));
  EXPECT_EQ(s.weight[2][3].item<float>(), s.numbers[2][3].item<float>());
}

TEST(WeightSite, HasNoMemoryToReach) {
  const SquareLayer s;
  const auto says_so = HasSubstr("that doesn't have storage");
  EXPECT_THAT(message_of([&] {
                (void)s.weight.data_ptr<float>();
              }),
              says_so);
  EXPECT_THAT(message_of([&] {
                (void)s.weight.accessor<float, 2>();
              }),
              says_so);
  EXPECT_NE(message_of([&] {
              (void)s.weight.storage();
            }),
            "");
}

TEST(WeightSite, BearsWhatProgramsDoWithModules) {
  SquareLayer s;
  EXPECT_EQ(s.layer->named_parameters().size(), 2);
  EXPECT_EQ(s.weight.numel(), 64);
  EXPECT_EQ(s.weight.nbytes(), 256);
  EXPECT_TRUE(s.weight.device().is_cpu());
  s.layer->zero_grad();
  s.layer->to(at::kCPU);
  s.layer->to(at::kFloat);
  EXPECT_EQ(site_kernel(s.weight), s.kernel.get());
  torch::optim::SGD optimizer(s.layer->parameters(), 0.1);
  s.layer(s.input).sum().backward();
  optimizer.step();
  std::ostringstream text;
  text << s.weight;
  EXPECT_THAT(text.str(), HasSubstr("{8,8}"));
  EXPECT_TRUE(s.weight.clone().equal(s.numbers));
  EXPECT_TRUE((s.weight + 0).equal(s.numbers));
}

TEST(WeightSite, ClonesToAFloatModule) {
  SquareLayer s;
  const auto copy = std::dynamic_pointer_cast<torch::nn::LinearImpl>(s.layer->clone());
  EXPECT_EQ(site_kernel(copy->weight), nullptr);
  EXPECT_TRUE(copy->weight.equal(s.numbers));
}

TEST(WeightSite, RefusesConversionAndSaving) {
  SquareLayer s;
  EXPECT_NE(message_of([&] {
              s.layer->to(at::kDouble);
            }),
            "");
  EXPECT_NE(message_of([&] {
              s.weight.set_data(s.numbers);
            }),
            "");
  std::ostringstream file;
  EXPECT_NE(message_of([&] {
              torch::save(s.layer, file);
            }),
            "");
  EXPECT_EQ(site_kernel(s.weight), s.kernel.get());
}

TEST(WeightSite, ServesTwoThreads) {
  const SquareLayer s;
  const at::Tensor expected = torch::linear(s.input, s.numbers);
  std::vector<int> right(2, 0);
  std::vector<std::thread> threads;
  for (int& count : right) {
    threads.emplace_back([&] {
      const at::NoGradGuard no_gradients;
      for (int i = 0; i < 200; ++i) {
        const bool routed = torch::linear(s.input, s.weight).equal(expected);
        const bool other = s.weight.add(1).equal(s.numbers + 1);
        count += routed && other ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(right, ElementsAre(200, 200));
  EXPECT_EQ(s.kernel->routed, 400);
}

}  // namespace
}  // namespace sizewise::quantizing

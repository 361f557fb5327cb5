#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/quantize.hpp"

#include "quantizing/quantize_calls.hpp"
#include "support/temporary_folder.hpp"

// Weights that stand in several places of a module, and copies that lose that.
namespace sizewise {
namespace {

using test::with;
using ::testing::HasSubstr;

/// A linear layer whose weight is somebody else's too.
struct HeadImpl : torch::nn::Module {
  explicit HeadImpl(const at::Tensor& shared) {
    weight = register_parameter("weight", shared);
    bias = register_parameter("bias", at::randn({shared.size(0)}));
  }
  at::Tensor forward(const at::Tensor& input) { return at::linear(input, weight, bias); }
  at::Tensor weight;
  at::Tensor bias;
};
TORCH_MODULE(Head);

/// An embedding and a head of one weight, registered under both names; the first in the
/// module's order is not the first of the alphabet.
struct TieImpl : torch::nn::Module {
  TieImpl() {
    tokens = register_module("tokens", torch::nn::Embedding(100, 32));
    mix = register_module("mix", torch::nn::Linear(32, 32));
    head = register_module("head", Head(tokens->weight));
  }
  at::Tensor forward(const at::Tensor& input) { return head(mix(tokens(input))); }
  torch::nn::Embedding tokens{nullptr};
  torch::nn::Linear mix{nullptr};
  Head head{nullptr};
};

/// Two layers of one weight once tie() is called, which clone() knows nothing of.
struct ClonedTieImpl : torch::nn::Cloneable<ClonedTieImpl> {
  ClonedTieImpl() { reset(); }
  void reset() override {
    first = register_module("first", torch::nn::Linear(32, 32));
    second = register_module("second", torch::nn::Linear(32, 32));
  }
  void tie() { second->parameters()[0].set_data(first->weight.detach()); }
  at::Tensor forward(const at::Tensor& input) { return second(first(input)); }
  torch::nn::Linear first{nullptr};
  torch::nn::Linear second{nullptr};
};

/// Computes with a member that is not what it has registered.
struct AssignedTieImpl : torch::nn::Cloneable<AssignedTieImpl> {
  AssignedTieImpl() { reset(); }
  void reset() override {
    first = register_module("first", torch::nn::Linear(32, 32));
    second = register_module("second", torch::nn::Linear(32, 32));
  }
  at::Tensor forward(const at::Tensor& input) { return second(first(input)); }
  torch::nn::Linear first{nullptr};
  torch::nn::Linear second{nullptr};
};

TEST(QuantizeTies, ATieOfAnyOrderOfNamesIsSavedAndLoaded) {
  at::manual_seed(1);
  const auto module = std::make_shared<TieImpl>();
  const at::Tensor input = at::randint(100, {4, 7}, at::kLong);
  for (const char* options :
       {R"({"bits": 8})", R"({"bits": 4, "granularity": "group", "group_size": 16})"}) {
    QuantizationResult result =
        quantize(module, {input}, with("per_channel", options), [] {
          return std::make_shared<TieImpl>();
        });
    ASSERT_TRUE(result) << options;
    const auto model = result.as<TieImpl>();
    EXPECT_TRUE(at::equal(model->tokens(input), module->tokens(input))) << options;
    const test::TemporaryFolder folder;
    result.save(folder.path());
    const auto fresh = std::make_shared<TieImpl>();
    load_quantized(*fresh, folder.path());
    EXPECT_TRUE(at::equal(fresh->tokens(input), module->tokens(input))) << options;
    EXPECT_TRUE(at::equal(fresh->forward(input), model->forward(input))) << options;
  }
}

void expect_refused(const std::function<void()>& call, const std::string& part) {
  try {
    call();
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr(part));
    EXPECT_THAT(error.suggestion(), HasSubstr("make_copy"));
  }
}

TEST(QuantizeTies, ACopyThatLosesATieIsRefused) {
  const auto module = std::make_shared<ClonedTieImpl>();
  module->tie();
  expect_refused(
      [&] {
        static_cast<void>(quantize(module, {at::randn({8, 32})}, with("dynamic")));
      },
      "does not tie 'first.weight', 'second.weight'");
}

TEST(QuantizeTies, AModuleThatComputesWithWhatItHasNotRegisteredIsRefused) {
  const auto module = std::make_shared<AssignedTieImpl>();
  module->second->weight = module->first->weight;
  expect_refused(
      [&] {
        static_cast<void>(quantize(module, {at::randn({8, 32})}, with("dynamic")));
      },
      "does not compute what the module does");
}

TEST(QuantizationResultLoad, TellsOfTheLayersThatItRuns) {
  const at::Tensor input = at::randint(100, {4, 7}, at::kLong);
  const auto module = std::make_shared<TieImpl>();
  QuantizationResult made = quantize(module, {input}, with("dynamic"), [] {
    return std::make_shared<TieImpl>();
  });
  const test::TemporaryFolder folder;
  made.save(folder.path());
  QuantizationResult loaded =
      QuantizationResult::load(std::make_shared<TieImpl>(), folder.path());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(at::equal(loaded.as<TieImpl>()->forward(input),
                        made.as<TieImpl>()->forward(input)));
  ASSERT_EQ(loaded.info.layers.size(), made.info.layers.size());
  for (std::size_t i = 0; i < made.info.layers.size(); ++i) {
    EXPECT_EQ(loaded.info.layers[i].name, made.info.layers[i].name);
    EXPECT_EQ(loaded.info.layers[i].bits, made.info.layers[i].bits);
    EXPECT_EQ(loaded.info.layers[i].kernel, made.info.layers[i].kernel);
  }
  EXPECT_EQ(loaded.info.quantized_bytes,
            std::filesystem::file_size(folder.path() / "model.safetensors"));
  EXPECT_THROW(static_cast<void>(loaded.validate(0.1)), Error);
  EXPECT_THROW(static_cast<void>(QuantizationResult::load(nullptr, folder.path())),
               Error);
}

}  // namespace
}  // namespace sizewise

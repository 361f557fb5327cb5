#include "quantizing/layer_probe.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/error.hpp"

#include "quantizing/coverage_rows.hpp"
#include "quantizing/float_kernel.hpp"
#include "quantizing/module_contents.hpp"

namespace sizewise::quantizing {
namespace {

namespace nn = torch::nn;
using test::Contents;
using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

/// Finds the layers and holds that the module is as it was.
std::vector<Layer> find(const nn::Module& module, const std::function<void()>& forward) {
  const Contents contents(module);
  std::vector<Layer> layers = find_layers(module, forward);
  contents.expect_unchanged();
  return layers;
}

std::vector<LayerStatus> statuses(const std::vector<Layer>& layers) {
  std::vector<LayerStatus> all;
  for (const Layer& layer : layers) {
    all.push_back(layer.status);
  }
  return all;
}

/// Some linear layers in a row; a test does with their weights what it likes.
struct Stack : nn::Module {
  explicit Stack(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      layers.push_back(register_module("fc" + std::to_string(i), nn::Linear(4, 4)));
    }
  }
  at::Tensor forward(at::Tensor x) {
    for (auto& layer : layers) {
      x = layer(x);
    }
    return x;
  }
  std::vector<nn::Linear> layers;
};

/// Every kind of layer once, batch normalisation between them.
struct ZooImpl : nn::Module {
  ZooImpl() {
    register_module("embedding", embedding);
    register_module("conv", conv);
    register_module("norm", norm);
    register_module("up", up);
    register_module("gru", gru);
    register_module("head", head);
  }
  at::Tensor forward(const at::Tensor& tokens) {
    at::Tensor x = up(norm(conv(embedding(tokens).transpose(1, 2))));
    return head(std::get<0>(gru(x.permute({2, 0, 1}))));
  }
  nn::Embedding embedding{10, 8};
  nn::Conv1d conv{nn::Conv1dOptions(8, 6, 3)};
  nn::BatchNorm1d norm{6};
  nn::ConvTranspose1d up{nn::ConvTranspose1dOptions(6, 4, 3)};
  nn::GRU gru{4, 5};
  nn::Linear head{5, 3};
};
TORCH_MODULE(Zoo);

TEST(FindLayers, ListsEveryKindInTheModulesOrder) {
  Zoo zoo;
  const at::Tensor tokens = torch::randint(10, {2, 7}, at::kLong);
  const std::vector<Layer> layers = find(*zoo, [&] {
    zoo(tokens);
  });
  ASSERT_EQ(layers.size(), 6);
  EXPECT_THAT(statuses(layers), ::testing::Each(LayerStatus::kQuantizable));
  EXPECT_THAT(layers[0].names, ElementsAre("embedding.weight"));
  EXPECT_THAT(layers[0].shape, ElementsAre(10, 8));
  EXPECT_EQ(layers[0].module_type, "torch::nn::EmbeddingImpl");
  EXPECT_THAT(layers[0].uses, ElementsAre(Pair(WeightUse::kEmbedding, 1)));
  EXPECT_THAT(layers[1].uses, ElementsAre(Pair(WeightUse::kConvolution, 1)));
  EXPECT_THAT(layers[2].uses, ElementsAre(Pair(WeightUse::kTransposedConvolution, 1)));
  EXPECT_THAT(layers[3].names, ElementsAre("gru.weight_ih_l0"));
  EXPECT_EQ(layers[3].module_type, "torch::nn::GRUImpl");
  EXPECT_GE(layers[4].uses.at(WeightUse::kLinear), 7);  // at every step
  EXPECT_THAT(layers[5].names, ElementsAre("head.weight"));
  EXPECT_EQ(layers[5].reason, "");
}

TEST(FindLayers, SeesTiedWeightsAsOne) {
  struct Tied : nn::Module {
    nn::Embedding embedding{10, 4};
    nn::Linear same{4, 10};
    nn::Linear alias{4, 10};
    Tied() {
      register_module("embedding", embedding);
      register_module("same", same);
      register_module("alias", alias);
      same->register_parameter("tied", embedding->weight);
      alias->register_parameter("tied", embedding->weight.detach());
    }
  };
  Tied module;
  const std::vector<Layer> layers = find(module, [&] {
    torch::linear(module.embedding(torch::zeros({1}, at::kLong)),
                  module.alias->named_parameters()["tied"]);
  });
  ASSERT_EQ(layers.size(), 3);
  EXPECT_THAT(layers[0].names,
              ElementsAre("embedding.weight", "same.tied", "alias.tied"));
  EXPECT_EQ(layers[0].tensors.size(), 2);
  EXPECT_THAT(layers[0].uses,
              ElementsAre(Pair(WeightUse::kLinear, 1), Pair(WeightUse::kEmbedding, 1)));
  EXPECT_THAT(
      statuses(layers),
      ElementsAre(LayerStatus::kQuantizable, LayerStatus::kUnused, LayerStatus::kUnused));
}

TEST(FindLayers, NamesTheOperatorThatCannotBeRouted) {
  Stack stack(3);
  const std::vector<Layer> layers = find(stack, [&] {
    const at::Tensor x = stack.layers[0](torch::ones({2, 4}));
    x.matmul(stack.layers[1]->weight);
    x.matmul(stack.layers[1]->weight.t());
  });
  EXPECT_THAT(
      statuses(layers),
      ElementsAre(
          LayerStatus::kQuantizable, LayerStatus::kOtherUse, LayerStatus::kUnused));
  EXPECT_EQ(layers[1].reason, "aten::matmul uses the weight and cannot run quantized");
  EXPECT_THAT(layers[1].other_uses, ElementsAre(Pair("aten::matmul", 1)));
  EXPECT_EQ(layers[2].reason, "the forward pass does not use the weight");
}

TEST(FindLayers, FindsWritesAndUndoesThem) {
  Stack stack(4);
  const std::vector<Layer> layers = find(stack, [&] {
    stack.layers[1]->weight.mul_(2);
    stack.layers[2]->weight[0].mul_(2);
    stack.forward(torch::ones({2, 4}));
  });
  EXPECT_THAT(statuses(layers),
              ElementsAre(LayerStatus::kQuantizable,
                          LayerStatus::kWritten,
                          LayerStatus::kWritten,
                          LayerStatus::kQuantizable));
  EXPECT_EQ(layers[1].reason,
            "the forward pass writes to the weight with aten::mul_.Scalar");
}

TEST(FindLayers, FindsAWriteWhoseRefusalTheModuleCatches) {
  Stack stack(1);
  const std::vector<Layer> layers = find(stack, [&] {
    message_of([&] {
      stack.layers[0]->weight.zero_();
    });
    stack.forward(torch::ones({2, 4}));
  });
  EXPECT_THAT(statuses(layers), ElementsAre(LayerStatus::kWritten));
}

TEST(FindLayers, BisectsWhichWeightMustHaveMemory) {
  Stack stack(9);
  int passes = 0;
  const std::vector<Layer> layers = find(stack, [&] {
    ++passes;
    for (const int i : {2, 3, 7}) {
      (void)stack.layers[i]->weight.data_ptr<float>();
    }
    stack.forward(torch::ones({2, 4}));
  });
  std::vector<LayerStatus> expected(9, LayerStatus::kQuantizable);
  expected[2] = expected[3] = expected[7] = LayerStatus::kInaccessible;
  EXPECT_EQ(statuses(layers), expected);
  EXPECT_THAT(layers[3].reason, HasSubstr("that doesn't have storage"));
  EXPECT_LE(passes, 1 + 1 + 3 * 5);  // all, none, and for each: log2(9) and all again
}

TEST(FindLayers, SkipsWhatIsNoPlainWeight) {
  Stack stack(1);
  stack.register_parameter("empty", at::Tensor());
  stack.register_parameter("sparse", torch::eye(3).to_sparse());
  stack.register_parameter("vector", torch::ones({3}));
  stack.register_buffer("buffer", torch::ones({3, 3}));
  const std::vector<Layer> layers = find_layers(stack, [&] {
    stack.forward(torch::ones({2, 4}));
  });
  ASSERT_EQ(layers.size(), 2);
  EXPECT_EQ(layers[0].names.front(), "sparse");
  EXPECT_EQ(layers[0].status, LayerStatus::kUnsuitable);
  EXPECT_EQ(layers[0].reason, "the weight of 'sparse' is no plain strided tensor");
  EXPECT_EQ(layers[1].status, LayerStatus::kQuantizable);
}

TEST(FindLayers, LeavesAModuleWithoutWeightsAlone) {
  nn::BatchNorm1d norm(3);
  EXPECT_THAT(find(*norm,
                   [&] {
                     norm(torch::randn({4, 3}));
                   }),
              IsEmpty());
}

TEST(FindLayers, RefusesAForwardThatFailsAnywayAndRestoresTheModule) {
  Stack stack(3);
  const Contents contents(stack);
  try {
    (void)find_layers(stack, [&] {
      stack.layers[0]->bias.zero_();
      stack.forward(torch::ones({2, 5}));
    });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(
        error.message(),
        HasSubstr("the forward pass fails on the module as it is: mat1 and mat2"));
  }
  contents.expect_unchanged();
}

TEST(FindLayers, RefusesForwardsThatThrowAnything) {
  Stack stack(1);
  const Contents contents(stack);
  EXPECT_THROW((void)find_layers(stack,
                                 [] {
                                   throw 7;
                                 }),
               Error);
  contents.expect_unchanged();
}

TEST(FindLayers, RefusesAModuleThatIsQuantized) {
  Stack stack(1);
  const at::Tensor weight = stack.layers[0]->weight;
  const TemporarySite site(weight, test::float_kernel("fc0", weight));
  EXPECT_EQ(message_of([&] {
              (void)find_layers(stack, [&] {
                stack.forward(torch::ones({2, 4}));
              });
            }),
            "the weight 'fc0.weight' is quantized already");
}

TEST(FindLayers, RunsWithoutGradients) {
  Stack stack(1);
  (void)find(stack, [&] {
    EXPECT_FALSE(stack.forward(torch::ones({2, 4})).requires_grad());
  });
  stack.forward(torch::ones({2, 4})).sum().backward();
  EXPECT_TRUE(stack.layers[0]->weight.grad().defined());
}

TEST(FindLayers, LeavesRandomNumbersAsTheyWere) {
  Stack stack(3);
  const auto forward = [&] {
    if (torch::rand({1}).item<float>() >= 0.0F) {
      (void)stack.layers[1]->weight.data_ptr<float>();  // so that it takes more passes
    }
    torch::dropout(stack.forward(torch::randn({2, 4})), 0.5, true);
  };
  torch::manual_seed(3);
  const at::Tensor expected = torch::randn({5});  // an odd number: one is kept for later
  const at::Tensor next = torch::randn({5});
  torch::manual_seed(3);
  EXPECT_TRUE(torch::randn({5}).equal(expected));
  (void)find(stack, forward);
  EXPECT_THROW((void)find_layers(stack,
                                 [&] {
                                   forward();
                                   throw 7;
                                 }),
               Error);
  EXPECT_TRUE(torch::randn({5}).equal(next));
}

TEST(FindLayers, RunsInTwoThreadsOnTwoModules) {
  std::vector<std::vector<LayerStatus>> found(2);
  std::vector<std::thread> threads;
  for (auto& result : found) {
    threads.emplace_back([&result] {
      for (int i = 0; i < 20; ++i) {
        Stack stack(3);
        result = statuses(find_layers(stack, [&] {
          stack.layers[1]->weight.norm();
          stack.forward(torch::ones({2, 4}));
        }));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& result : found) {
    EXPECT_THAT(result,
                ElementsAre(LayerStatus::kQuantizable,
                            LayerStatus::kOtherUse,
                            LayerStatus::kQuantizable));
  }
}

/// The rows of the coverage table, through the probe.
class ProbedCoverage : public ::testing::TestWithParam<test::Row> {};

TEST_P(ProbedCoverage, AllowsWhatIsRoutedOnly) {
  const test::Row& row = GetParam();
  const test::Subject subject = row.make();
  const std::vector<Layer> layers = find(*subject.module, [&] {
    (void)subject.forward(subject.input.clone());
  });
  const auto quantizable = std::count_if(layers.begin(), layers.end(), [](const auto& l) {
    return l.status == LayerStatus::kQuantizable;
  });
  if (row.verdict == test::Verdict::kKernel) {
    EXPECT_EQ(quantizable, std::ssize(layers));
  } else if (row.verdict == test::Verdict::kPartly) {
    EXPECT_GT(quantizable, 0);
    EXPECT_LT(quantizable, std::ssize(layers));
  } else {
    EXPECT_EQ(quantizable, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows,
                         ProbedCoverage,
                         ::testing::ValuesIn(test::coverage_rows()),
                         [](const auto& instance) {
                           return instance.param.name;
                         });

}  // namespace
}  // namespace sizewise::quantizing

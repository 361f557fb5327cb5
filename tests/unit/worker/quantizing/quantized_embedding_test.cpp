#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/embedding.h>

#include "quantizing/made_up_weights.hpp"

// Embeddings whose rows stay codes until they are asked for.
namespace sizewise::quantizing {
namespace {

using test::error_of;
using test::LayerPlan;
using test::made_weight;
using ::testing::HasSubstr;

QuantizedWeight made_table(int bits, Scheme scheme, int64_t group_size) {
  LayerPlan plan{50, 33 * 2, bits, scheme};
  plan.activation = ActivationTreatment::kNone;
  if (group_size != 0) {
    plan.granularity = group_size < 0 ? Granularity::kTensor : Granularity::kGroup;
    plan.group_size = std::max<int64_t>(group_size, 0);
  }
  return made_weight(plan, WeightUse::kEmbedding);
}

TEST(QuantizedEmbedding, DecodesTheRowsThatAreAskedFor) {
  torch::manual_seed(1);
  const at::Tensor indices = torch::tensor({{0, 49, 7}, {7, 7, 1}}, torch::kLong);
  for (const int bits : {2, 4, 7, 8}) {
    for (const auto scheme : {Scheme::kSymmetric, Scheme::kAsymmetric}) {
      for (const int64_t group_size : {-1, 0, 11}) {
        const QuantizedWeight weight = made_table(bits, scheme, group_size);
        const at::Tensor all = decoded(weight.numbers);
        const auto kernel = make_kernel(weight);
        const at::Tensor rows = kernel->embedding(indices);
        EXPECT_EQ(rows.sizes(), (std::vector<int64_t>{2, 3, 66}));
        EXPECT_TRUE(rows.equal(torch::embedding(all, indices)));
        EXPECT_TRUE(kernel->embedding(indices.to(torch::kInt)).equal(rows));
        EXPECT_TRUE(kernel->dense().equal(all));
      }
    }
  }
}

TEST(QuantizedEmbedding, GathersRowsOf16BitsAsFloats) {
  const QuantizedWeight weight = made_table(16, Scheme::kSymmetric, 0);
  const auto kernel = make_kernel(weight);
  const at::Tensor indices = torch::tensor({3, 3, 49}, torch::kLong);
  const at::Tensor rows = kernel->embedding(indices);
  EXPECT_EQ(rows.scalar_type(), torch::kFloat);
  EXPECT_TRUE(
      rows.equal(weight.numbers.codes.to(torch::kFloat).index_select(0, indices)));
  EXPECT_EQ(kernel->route(), "bfloat16 rows");
  EXPECT_EQ(kernel->bytes(), 2 * 50 * 66);
}

TEST(QuantizedEmbedding, KeepsCodesOf4BitsPacked) {
  const auto int4 = make_kernel(made_table(4, Scheme::kSymmetric, 0));
  EXPECT_EQ(int4->route(), "int4 rows");
  EXPECT_EQ(int4->bytes(), 50 * 33 + 50 * 4);
  const auto int8 = make_kernel(made_table(8, Scheme::kSymmetric, 0));
  EXPECT_EQ(int8->route(), "int8 rows");
  EXPECT_EQ(int8->bytes(), 50 * 66 + 50 * 4);
}

TEST(QuantizedEmbedding, RefusesRowsThatItDoesNotHave) {
  for (const auto use : {WeightUse::kEmbedding, WeightUse::kLinear}) {
    QuantizedWeight weight = made_table(8, Scheme::kSymmetric, 0);
    weight.use = use;
    const auto kernel = make_kernel(weight);
    for (const int64_t bad : {-1, 50}) {
      const Error error = error_of([&] {
        (void)kernel->embedding(torch::full({2}, bad, torch::kLong));
      });
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_EQ(error.message(),
                "layer 'blocks.0.fc1' was asked for row " + std::to_string(bad) +
                    " of its table; allowed: 0 to 49");
    }
    EXPECT_EQ(kernel->embedding(torch::empty({2, 0}, torch::kLong)).sizes(),
              (std::vector<int64_t>{2, 0, 66}));
  }
}

TEST(QuantizedEmbedding, IsServedByTheCodesOfATiedLinearLayer) {
  torch::manual_seed(2);
  for (const int bits : {4, 8, 16}) {
    QuantizedWeight weight = made_table(bits, Scheme::kSymmetric, 0);
    weight.use = WeightUse::kLinear;
    const auto kernel = make_kernel(weight);
    const at::Tensor indices = torch::tensor({{5}, {31}}, torch::kLong);
    EXPECT_TRUE(kernel->embedding(indices).equal(
        torch::embedding(decoded(weight.numbers), indices)));
  }
}

TEST(QuantizedEmbedding, StaysFloatWhereItIsToldSo) {
  torch::manual_seed(3);
  QuantizedWeight weight = made_table(8, Scheme::kSymmetric, 0);
  weight.use = WeightUse::kLinear;
  const auto quantized = make_kernel(weight);
  weight.keeps_float = true;
  const at::Tensor parameter = torch::randn({50, 66}, torch::requires_grad());
  const auto kernel = make_kernel(weight, parameter);
  const at::Tensor indices = torch::tensor({4, 4}, torch::kLong);
  EXPECT_TRUE(kernel->embedding(indices).equal(torch::embedding(parameter, indices)));
  EXPECT_TRUE(kernel->dense().equal(parameter));
  const at::Tensor x = torch::randn({2, 66});
  EXPECT_TRUE(kernel->linear(x, std::nullopt).equal(quantized->linear(x, std::nullopt)));
  EXPECT_EQ(kernel->bytes(), quantized->bytes() + 50 * 66 * 4);
  EXPECT_THAT(kernel->route(), HasSubstr("embedding float"));
  EXPECT_THAT(error_of([&] {
                (void)kernel->embedding(torch::tensor({50}, torch::kLong));
              }).message(),
              HasSubstr("was asked for row 50"));
  EXPECT_EQ(error_of([&] {
              (void)make_kernel(weight);
            }).code(),
            ErrorCode::kInternal);
}

TEST(QuantizedEmbedding, RunsBehindASite) {
  torch::nn::Embedding layer(50, 66);
  const auto kernel = make_kernel(made_table(4, Scheme::kAsymmetric, 0));
  const at::Tensor indices = torch::tensor({{1, 2}, {49, 0}}, torch::kLong);
  const at::Tensor expected = kernel->embedding(indices);
  const TemporarySite site(layer->weight, kernel);
  EXPECT_TRUE(layer(indices).equal(expected));
}

}  // namespace
}  // namespace sizewise::quantizing

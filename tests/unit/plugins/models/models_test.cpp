#include <cmath>
#include <vector>

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/model.hpp"

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

at::Tensor output_of(Model& model, const at::Tensor& input) {
  const c10::NoGradGuard no_grad;
  return model.forward({{"input", input}}).at("output");
}

/// num_params_of() against the sum over the real parameters.
void expect_counts_agree(const std::string& id,
                         const DatasetInfo& data,
                         const std::string& options,
                         const std::vector<int64_t>& sizes) {
  const auto family = make_model_family(id, data, options);
  for (const int64_t size : sizes) {
    const auto model = family->create(size);
    const int64_t counted = count_params(model->module());
    EXPECT_EQ(model->num_params(), counted) << id << " " << size << " " << options;
    EXPECT_EQ(family->num_params(size), counted) << id << " " << size << " " << options;
  }
}

TEST(Mlp, CountsItsParametersWithoutABuild) {
  for (const char* options :
       {R"({"layers": 1})", R"({"layers": 2})", R"({"layers": 5})"}) {
    expect_counts_agree("mlp", image_data(1, 28, 10), options, {1, 2, 7, 64, 128});
  }
  DatasetInfo regression = image_data(3, 4, 0);
  regression.target_shape = {2, 3};
  expect_counts_agree("mlp", regression, "{}", {1, 5, 33});
}

TEST(Mlp, ShapesItsOutputAsTheTargetsAre) {
  const at::Tensor input = at::randn({5, 1, 8, 8});
  EXPECT_EQ(output_of(*make_model_family("mlp", image_data(1, 8, 10))->create(4), input)
                .sizes(),
            at::IntArrayRef({5, 10}));
  DatasetInfo regression = image_data(1, 8, 0);
  EXPECT_EQ(output_of(*make_model_family("mlp", regression)->create(4), input).sizes(),
            at::IntArrayRef({5}));
  regression.target_shape = {2, 3};
  EXPECT_EQ(output_of(*make_model_family("mlp", regression)->create(4), input).sizes(),
            at::IntArrayRef({5, 2, 3}));
}

TEST(Mlp, RefusesTokens) {
  const auto family = make_model_family("mlp", token_data(256, 16));
  EXPECT_THAT(error_of([&] {
                (void)family->create(8);
              }),
              AllOf(StartsWith("configuration: "),
                    HasSubstr("inputs are int64; allowed: float32"),
                    HasSubstr("--model gpt")));
}

TEST(Cnn, CountsItsParametersWithoutABuild) {
  for (const char* options :
       {R"({"blocks": 1})", R"({"blocks": 3})", R"({"blocks": 4})"}) {
    expect_counts_agree("cnn", image_data(3, 28, 10), options, {1, 2, 8, 13});
  }
}

TEST(Cnn, TreatsEverySampleOnItsOwn) {
  at::manual_seed(3);
  const auto model = make_model_family("cnn", image_data(1, 28, 10))->create(4);
  const at::Tensor images = at::randn({6, 1, 28, 28});
  const at::Tensor together = output_of(*model, images);
  const at::Tensor alone = output_of(*model, images.slice(0, 2, 3));
  EXPECT_TRUE(at::allclose(together.slice(0, 2, 3), alone, 1e-5, 1e-6));
}

TEST(Cnn, RefusesWhatIsNoImageOrTooSmall) {
  EXPECT_THAT(error_of([] {
                (void)make_model_family("cnn", token_data(256, 16))->create(8);
              }),
              AllOf(StartsWith("configuration: "), HasSubstr("allowed: images")));
  EXPECT_THAT(error_of([] {
                (void)make_model_family("cnn", image_data(1, 7, 10))->create(8);
              }),
              AllOf(StartsWith("configuration: "),
                    HasSubstr("images are 7 x 7"),
                    HasSubstr("at least 8 x 8"),
                    HasSubstr("option blocks")));
}

TEST(Gpt, CountsItsParametersWithoutABuild) {
  for (const char* options : {R"({"layers": 1})", R"({"layers": 4, "head_width": 4})"}) {
    expect_counts_agree("gpt", token_data(256, 64), options, {8, 16, 24, 64, 96});
  }
}

TEST(Gpt, StartsAsUnsureAsTheVocabularyAllows) {
  for (const int64_t vocabulary : {int64_t{16}, int64_t{256}, int64_t{5000}}) {
    for (const int64_t width : {8, 64, 256, 1024}) {
      at::manual_seed(11);
      const auto family = make_model_family(
          "gpt", token_data(vocabulary, 32), R"({"layers": 2, "head_width": 8})");
      const auto model = family->create(width);
      const at::Tensor tokens = at::randint(vocabulary, {4, 33}, at::kLong);
      const at::Tensor output = output_of(*model, tokens.slice(1, 0, 32).contiguous());
      const double loss =
          at::cross_entropy_loss(output.flatten(0, 1), tokens.slice(1, 1, 33).flatten())
              .item<double>();
      EXPECT_NEAR(loss, std::log(static_cast<double>(vocabulary)), 0.1)
          << "width " << width << ", vocabulary " << vocabulary;
    }
  }
}

TEST(Gpt, SeesNoLaterToken) {
  at::manual_seed(5);
  const auto model = make_model_family("gpt", token_data(50, 12))->create(16);
  const at::Tensor tokens = at::randint(50, {2, 12}, at::kLong);
  at::Tensor changed = tokens.clone();
  changed.select(1, 7).add_(1).remainder_(50);
  const at::Tensor before = output_of(*model, tokens);
  const at::Tensor after = output_of(*model, changed);
  EXPECT_TRUE(at::allclose(before.slice(1, 0, 7), after.slice(1, 0, 7), 1e-5, 1e-7));
  EXPECT_FALSE(at::allclose(before.slice(1, 7, 12), after.slice(1, 7, 12), 1e-5, 1e-7));
}

TEST(Gpt, TiesItsHeadToTheTokenEmbedding) {
  const auto model = make_model_family("gpt", token_data(50, 12))->create(16);
  EXPECT_FALSE(model->module().named_parameters().contains("head.weight"));
  const c10::NoGradGuard no_grad;
  model->module().named_parameters()["tokens.weight"].zero_();
  EXPECT_EQ(output_of(*model, at::zeros({1, 12}, at::kLong)).abs().max().item<float>(),
            0.0F);
}

TEST(Gpt, RefusesAWidthThatHeadsDoNotDivide) {
  const auto family =
      make_model_family("gpt", token_data(256, 16), R"({"head_width": 16})");
  EXPECT_THAT(error_of([&] {
                (void)family->create(24);
              }),
              AllOf(StartsWith("configuration: gpt: the width is 24"),
                    HasSubstr("multiples of head_width, which is 16")));
  EXPECT_THAT(error_of([&] {
                (void)family->num_params(24);
              }),
              HasSubstr("width is 24"));
}

TEST(Gpt, RefusesDataThatAreNoTokens) {
  const auto family = make_model_family("gpt", image_data(1, 28, 10));
  EXPECT_THAT(error_of([&] {
                (void)family->create(8);
              }),
              AllOf(HasSubstr("vocabulary 0, context 0 and classes 10"),
                    HasSubstr("--dataset text")));
}

}  // namespace
}  // namespace sizewise::testing

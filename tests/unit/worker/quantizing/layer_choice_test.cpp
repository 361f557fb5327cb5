#include "quantizing/layer_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quantizing/name_pattern.hpp"

namespace sizewise::quantizing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Layer quantizable(std::vector<std::string> names,
                  std::vector<int64_t> shape,
                  std::map<WeightUse, int64_t> uses = {{WeightUse::kLinear, 1}}) {
  Layer layer;
  layer.names = std::move(names);
  layer.module_type = "torch::nn::LinearImpl";
  layer.shape = std::move(shape);
  layer.uses = std::move(uses);
  layer.status = LayerStatus::kQuantizable;
  return layer;
}

std::vector<std::string> chosen_names(const LayerChoice& choice) {
  std::vector<std::string> names;
  for (const ChosenLayer& layer : choice.chosen) {
    names.push_back(layer.name);
  }
  return names;
}

TEST(NamePattern, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches("fc1", "fc1"));
  EXPECT_FALSE(matches("fc1", "fc12"));
  EXPECT_TRUE(matches("fc?", "fc2"));
  EXPECT_FALSE(matches("fc?", "fc"));
  EXPECT_TRUE(matches("blocks.*.mlp*", "blocks.11.mlp_hidden"));
  EXPECT_FALSE(matches("blocks.*.mlp", "blocks.11.mlp_hidden"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*b*b", "abcabb"));
  EXPECT_FALSE(matches("*b*b*b*b", "abcabb"));
  EXPECT_FALSE(matches("", "a"));
}

TEST(NamePattern, WarnsOfPatternsThatNameNothing) {
  EXPECT_THAT(
      warnings_of_unused({{"fc*", "conv*"}, {"head"}}, {"fc1"}),
      ElementsAre(HasSubstr("include pattern conv*"), HasSubstr("exclude pattern head")));
}

TEST(LayerChoice, ExcludeIsStrongerThanInclude) {
  const std::vector<Layer> layers = {quantizable({"a.weight"}, {32, 32}),
                                     quantizable({"b.weight"}, {32, 32}),
                                     quantizable({"c.weight"}, {32, 32})};
  const LayerChoice choice = choose_layers(layers, {{"a", "b"}, {"b"}});
  EXPECT_THAT(chosen_names(choice), ElementsAre("a"));
  ASSERT_EQ(choice.skipped.size(), 2U);
  EXPECT_THAT(choice.skipped[0].reason, HasSubstr("exclude pattern b"));
  EXPECT_THAT(choice.skipped[1].reason, HasSubstr("no include pattern"));
}

TEST(LayerChoice, SkipsFewWeightsUnlessTheyAreNamed) {
  const std::vector<Layer> layers = {quantizable({"tiny.weight"}, {3, 5})};
  const LayerChoice skipped = choose_layers(layers, {});
  EXPECT_THAT(skipped.chosen, IsEmpty());
  EXPECT_THAT(skipped.skipped.at(0).reason, HasSubstr("has 15 weights, fewer than 256"));
  EXPECT_THAT(chosen_names(choose_layers(layers, {{"tiny"}, {}})), ElementsAre("tiny"));
}

TEST(LayerChoice, SkipsDepthwiseConvolutionsUnlessTheyAreNamed) {
  const std::vector<Layer> layers = {
      quantizable({"depthwise.weight"}, {64, 1, 3, 3}, {{WeightUse::kConvolution, 1}}),
      quantizable({"dense.weight"}, {64, 2, 3, 3}, {{WeightUse::kConvolution, 1}}),
      quantizable({"column.weight"}, {512, 1})};
  const LayerChoice choice = choose_layers(layers, {});
  EXPECT_THAT(chosen_names(choice), ElementsAre("dense", "column"));
  EXPECT_THAT(choice.skipped.at(0).reason, HasSubstr("depthwise"));
  EXPECT_THAT(chosen_names(choose_layers(layers, {{"depthwise"}, {}})),
              ElementsAre("depthwise"));
}

TEST(LayerChoice, GivesTheProbesReason) {
  Layer sliced = quantizable({"w.weight"}, {32, 32});
  sliced.status = LayerStatus::kOtherUse;
  sliced.reason = "aten::slice uses the weight and cannot run quantized";
  const std::vector<Layer> layers = {sliced};
  EXPECT_EQ(choose_layers(layers, {}).skipped.at(0).reason, sliced.reason);
}

TEST(LayerChoice, LeavesATiedEmbeddingFloatUnlessItIsNamed) {
  const std::vector<Layer> layers = {
      quantizable({"tokens.weight"},
                  {256, 32},
                  {{WeightUse::kEmbedding, 1}, {WeightUse::kLinear, 1}})};
  const LayerChoice choice = choose_layers(layers, {});
  ASSERT_EQ(choice.chosen.size(), 1U);
  EXPECT_TRUE(choice.chosen[0].keeps_float);
  EXPECT_EQ(choice.chosen[0].kind, LayerKind::kLinear);
  EXPECT_EQ(choice.chosen[0].stored_name, "tokens.linear.weight");
  EXPECT_THAT(choice.skipped.at(0).reason, HasSubstr("as an embedding"));

  const LayerChoice both = choose_layers(layers, {{"tokens"}, {}});
  EXPECT_FALSE(both.chosen.at(0).keeps_float);
  EXPECT_EQ(both.chosen.at(0).stored_name, "tokens.weight");
  EXPECT_THAT(both.skipped, IsEmpty());
}

TEST(LayerChoice, StoresATiedHeadUnderTheHeadsName) {
  Layer tied = quantizable({"tokens.weight", "head.weight"},
                           {256, 32},
                           {{WeightUse::kEmbedding, 1}, {WeightUse::kLinear, 1}});
  tied.module_type = "torch::nn::EmbeddingImpl";
  const std::vector<Layer> layers = {tied};
  EXPECT_EQ(choose_layers(layers, {}).chosen.at(0).stored_name, "head.weight");
}

TEST(LayerChoice, SkipsAWeightOfSeveralKindsOfLayers) {
  const std::vector<Layer> layers = {quantizable(
      {"w"}, {32, 32}, {{WeightUse::kConvolution, 1}, {WeightUse::kLinear, 1}})};
  EXPECT_THAT(choose_layers(layers, {}).skipped.at(0).reason, HasSubstr("several kinds"));
}

TEST(LayerChoice, KindFollowsFromUseAndDimensions) {
  EXPECT_EQ(layer_kind(WeightUse::kLinear, 2), LayerKind::kLinear);
  EXPECT_EQ(layer_kind(WeightUse::kConvolution, 3), LayerKind::kConv1d);
  EXPECT_EQ(layer_kind(WeightUse::kTransposedConvolution, 4), LayerKind::kConv2d);
  EXPECT_EQ(layer_kind(WeightUse::kConvolution, 5), LayerKind::kConv3d);
  EXPECT_EQ(layer_kind(WeightUse::kEmbedding, 2), LayerKind::kEmbedding);
}

}  // namespace
}  // namespace sizewise::quantizing

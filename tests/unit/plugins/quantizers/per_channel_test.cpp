#include <gtest/gtest.h>

#include "sizewise/quantizer.hpp"

#include "made_layers.hpp"
#include "plugin_under_test.hpp"

namespace sizewise::quantizers {
namespace {

TEST(PerChannel, QuantizesWeightsAlone) {
  const auto quantizer = testing::make_quantizer("per_channel");
  EXPECT_FALSE(quantizer->needs().any());
  const at::Tensor weight = normal_weight(64, 128);
  for (const auto kind :
       {LayerKind::kLinear, LayerKind::kConv2d, LayerKind::kEmbedding}) {
    const QuantizedLayer layer = quantizer->quantize(layer_of(weight, kind));
    EXPECT_EQ(layer.activation, ActivationTreatment::kNone);
    EXPECT_FALSE(layer.activation_scale.has_value());
    EXPECT_EQ(layer.bits, 8);
    EXPECT_EQ(layer.scheme, Scheme::kSymmetric);
    EXPECT_EQ(layer.granularity, Granularity::kChannel);
    EXPECT_EQ(layer.scales.sizes(), at::IntArrayRef({64, 1}));
    EXPECT_GE(sqnr_db(weight, layer), 42.0);
  }
}

TEST(PerChannel, DoesWhatItsOptionsSay) {
  const at::Tensor weight = normal_weight(64, 128);
  const auto made = [&](const char* options) {
    return testing::make_quantizer("per_channel", options)->quantize(layer_of(weight));
  };
  const QuantizedLayer narrow = made(R"({"bits": 4})");
  EXPECT_EQ(narrow.bits, 4);
  EXPECT_GE(narrow.codes.min().item<int64_t>(), -8);
  EXPECT_LE(narrow.codes.max().item<int64_t>(), 7);
  EXPECT_EQ(made(R"({"granularity": "group"})").group_size, 128);
  EXPECT_EQ(made(R"({"granularity": "group", "group_size": 32})").scales.size(1), 4);
  EXPECT_EQ(made(R"({"granularity": "tensor"})").scales.numel(), 1);
  EXPECT_TRUE(made(R"({"scheme": "asymmetric"})").zero_points.defined());
  EXPECT_EQ(made(R"({"scheme": "auto"})").scheme, Scheme::kSymmetric);
  EXPECT_GT(sqnr_db(weight, made(R"({"bits": 4, "clip": true})")),
            sqnr_db(weight, narrow) + 0.2);
  EXPECT_EQ(made(R"({"bits": 16})").codes.scalar_type(), at::kBFloat16);
  EXPECT_EQ(made(R"({"bits": 16, "half_type": "float16"})").codes.scalar_type(),
            at::kHalf);
}

}  // namespace
}  // namespace sizewise::quantizers

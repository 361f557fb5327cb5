#include <gtest/gtest.h>

#include "sizewise/quantizer.hpp"

#include "made_layers.hpp"
#include "plugin_under_test.hpp"

namespace sizewise::quantizers {
namespace {

ActivationTreatment treatment_of(const Quantizer& quantizer, LayerKind kind) {
  const QuantizedLayer layer = quantizer.quantize(layer_of(normal_weight(8, 32), kind));
  EXPECT_FALSE(layer.activation_scale.has_value());
  EXPECT_FALSE(layer.activation_zero_point.has_value());
  return layer.activation;
}

TEST(Dynamic, TreatsInputsByTheKindOfLayer) {
  const auto quantizer = testing::make_quantizer("dynamic");
  EXPECT_FALSE(quantizer->needs().any());
  using enum LayerKind;
  EXPECT_EQ(treatment_of(*quantizer, kLinear), ActivationTreatment::kDynamicPerToken);
  for (const auto kind : {kConv1d, kConv2d, kConv3d}) {
    EXPECT_EQ(treatment_of(*quantizer, kind), ActivationTreatment::kDynamicPerTensor);
  }
  EXPECT_EQ(treatment_of(*quantizer, kEmbedding), ActivationTreatment::kNone);
}

TEST(Dynamic, TreatsABatchAsOneWhereAsked) {
  const auto quantizer =
      testing::make_quantizer("dynamic", R"({"activations": "tensor"})");
  using enum LayerKind;
  EXPECT_EQ(treatment_of(*quantizer, kLinear), ActivationTreatment::kDynamicPerTensor);
  EXPECT_EQ(treatment_of(*quantizer, kConv2d), ActivationTreatment::kDynamicPerTensor);
  EXPECT_EQ(treatment_of(*quantizer, kEmbedding), ActivationTreatment::kNone);
}

TEST(Dynamic, CodesWeightsAsPerChannelDoes) {
  const at::Tensor weight = normal_weight(16, 64);
  const char* const options = R"({"bits": 4, "granularity": "group", "group_size": 16})";
  const QuantizedLayer dynamic =
      testing::make_quantizer("dynamic", options)->quantize(layer_of(weight));
  const QuantizedLayer alone =
      testing::make_quantizer("per_channel", options)->quantize(layer_of(weight));
  EXPECT_EQ(dynamic.bits, 4);
  EXPECT_TRUE(dynamic.codes.equal(alone.codes));
  EXPECT_TRUE(dynamic.scales.equal(alone.scales));
}

}  // namespace
}  // namespace sizewise::quantizers

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/quantizer.hpp"

#include "made_layers.hpp"
#include "plugin_under_test.hpp"

namespace sizewise::quantizers {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

LayerView calibrated(std::optional<double> minimum,
                     std::optional<double> maximum,
                     LayerKind kind = LayerKind::kLinear) {
  LayerView layer = layer_of(normal_weight(8, 32), kind);
  layer.input.rows = 10;
  layer.input.minimum = minimum;
  layer.input.maximum = maximum;
  return layer;
}

TEST(Static, AsksForTheRangeOfInputsAlone) {
  const CalibrationNeeds needs = testing::make_quantizer("static")->needs();
  EXPECT_TRUE(needs.input_range);
  EXPECT_FALSE(needs.channel_maximum);
  EXPECT_FALSE(needs.second_moment);
}

TEST(Static, SpansTheRangeAndHoldsZeroExactly) {
  const auto quantizer = testing::make_quantizer("static");
  struct Case {
    double low, high, scale;
    int64_t zero_point;
  };
  for (const auto kind : {LayerKind::kLinear, LayerKind::kConv2d}) {
    for (const Case& tried : {Case{-1.0, 1.55, 0.01, 100},
                              Case{0.0, 5.1, 0.02, 0},
                              // Ranges on one side of 0 are widened to it.
                              Case{2.0, 5.1, 0.02, 0},
                              Case{-5.1, -2.0, 0.02, 255},
                              Case{-5.1, 0.0, 0.02, 255},
                              Case{0.0, 0.0, 1.0, 0}}) {
      const QuantizedLayer layer =
          quantizer->quantize(calibrated(tried.low, tried.high, kind));
      EXPECT_EQ(layer.activation, ActivationTreatment::kStatic);
      EXPECT_FLOAT_EQ(static_cast<float>(*layer.activation_scale),
                      static_cast<float>(tried.scale));
      EXPECT_EQ(*layer.activation_zero_point, tried.zero_point)
          << tried.low << " to " << tried.high;
      EXPECT_GE(sqnr_db(normal_weight(8, 32), layer), 40.0);
    }
  }
}

/// A code is what a kernel makes of an input: 0 comes back as 0, values of the range
/// within half a step, and what lies beyond as its end.
TEST(Static, CodesInputsWithinHalfAStepAndClampsTheRest) {
  const QuantizedLayer layer =
      testing::make_quantizer("static")->quantize(calibrated(-0.3, 1.1));
  const double scale = *layer.activation_scale;
  const auto zero_point = static_cast<double>(*layer.activation_zero_point);
  const auto back = [&](double value) {
    const double code =
        std::clamp(std::nearbyint(value / scale) + zero_point, 0.0, 255.0);
    return (code - zero_point) * scale;
  };
  EXPECT_EQ(back(0.0), 0.0);
  for (int i = -300; i <= 1100; ++i) {
    const double value = i / 1000.0;
    ASSERT_NEAR(back(value), value, 0.5 * scale * (1.0 + 1e-5));
  }
  EXPECT_NEAR(back(100.0), 1.1, scale);
  EXPECT_NEAR(back(-100.0), -0.3, scale);
}

TEST(Static, GivesAScaleThatAFloatHolds) {
  const auto quantizer = testing::make_quantizer("static");
  for (const double size : {1e-45, 1e-38, 1e-30, 1e38, 3.4e38}) {
    const QuantizedLayer layer = quantizer->quantize(calibrated(-size, size));
    const auto scale = static_cast<float>(*layer.activation_scale);
    EXPECT_EQ(static_cast<double>(scale), *layer.activation_scale) << size;
    EXPECT_TRUE(std::isnormal(scale)) << size;
    EXPECT_GE(*layer.activation_zero_point, 0);
    EXPECT_LE(*layer.activation_zero_point, 255);
  }
}

TEST(Static, QuantizesTheWeightsOfAnEmbeddingAlone) {
  const QuantizedLayer layer = testing::make_quantizer("static")->quantize(
      layer_of(normal_weight(8, 32), LayerKind::kEmbedding));
  EXPECT_EQ(layer.activation, ActivationTreatment::kNone);
  EXPECT_FALSE(layer.activation_scale.has_value());
}

TEST(Static, RefusesALayerWithoutARange) {
  const auto quantizer = testing::make_quantizer("static");
  const auto refusal = [&](const LayerView& layer) {
    return testing::error_of([&] {
      (void)quantizer->quantize(layer);
    });
  };
  const auto says_so = AllOf(StartsWith("quantization: layer 'fc1' has no calibrated "
                                        "input range, which quantizer static needs"),
                             HasSubstr("give calibration data"),
                             HasSubstr("--dataset"));
  EXPECT_THAT(refusal(layer_of(normal_weight(8, 32))), says_so);
  EXPECT_THAT(refusal(calibrated(0.0, std::nullopt)), says_so);
  EXPECT_THAT(refusal(calibrated(std::nullopt, 0.0)), says_so);
  // A layer that no batch reached has an empty range.
  LayerView unreached = calibrated(0.0, 0.0);
  unreached.input.rows = 0;
  EXPECT_THAT(refusal(unreached), says_so);
}

TEST(Static, RefusesARangeThatIsNone) {
  const auto quantizer = testing::make_quantizer("static");
  const double infinite = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    double low, high;
  };
  for (const Case& tried : {Case{1.0, -1.0},
                            Case{nan, 1.0},
                            Case{0.0, nan},
                            Case{-infinite, 1.0},
                            Case{0.0, infinite}}) {
    EXPECT_THAT(testing::error_of([&] {
                  (void)quantizer->quantize(calibrated(tried.low, tried.high));
                }),
                AllOf(StartsWith("quantization: layer 'fc1' has the calibrated input "
                                 "range "),
                      HasSubstr("allowed: finite numbers in ascending order")));
  }
}

}  // namespace
}  // namespace sizewise::quantizers

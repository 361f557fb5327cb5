#include "weight_codes.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_layers.hpp"
#include "plugin_under_test.hpp"

namespace sizewise::quantizers {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

WeightSettings settings_of(int bits,
                           SchemeChoice scheme,
                           Granularity granularity,
                           bool clips = false,
                           int64_t group_size = 32) {
  WeightSettings settings;
  settings.bits = bits;
  settings.scheme = scheme;
  settings.granularity = granularity;
  settings.group_size = group_size;
  settings.clips = clips;
  return settings;
}

/// Every way of coding a weight by integers.
std::vector<WeightSettings> all_settings(const std::vector<bool>& clips = {false, true}) {
  std::vector<WeightSettings> all;
  for (const int bits : {4, 8}) {
    for (const auto scheme :
         {SchemeChoice::kSymmetric, SchemeChoice::kAsymmetric, SchemeChoice::kAuto}) {
      for (const auto granularity :
           {Granularity::kTensor, Granularity::kChannel, Granularity::kGroup}) {
        for (const bool clip : clips) {
          all.push_back(settings_of(bits, scheme, granularity, clip));
        }
      }
    }
  }
  return all;
}

std::string name_of(const WeightSettings& settings) {
  return std::to_string(settings.bits) + " bits, scheme " +
         std::to_string(static_cast<int>(settings.scheme)) + ", granularity " +
         std::to_string(static_cast<int>(settings.granularity)) +
         (settings.clips ? ", clipped" : "");
}

/// Each from `least` to -least - 1.
void expect_within(const at::Tensor& integers, double least) {
  if (integers.numel() > 0) {
    EXPECT_GE(integers.min().item<double>(), least);
    EXPECT_LE(integers.max().item<double>(), -least - 1.0);
  }
}

void expect_sound(const QuantizedLayer& layer, const WeightSettings& settings) {
  const double least = -std::exp2(settings.bits - 1);
  EXPECT_EQ(layer.bits, settings.bits);
  ASSERT_EQ(layer.codes.scalar_type(), at::kChar);
  ASSERT_EQ(layer.scales.scalar_type(), at::kFloat);
  ASSERT_EQ(layer.scales.dim(), 2);
  expect_within(layer.codes, least);
  const auto* const scales = layer.scales.const_data_ptr<float>();
  for (int64_t i = 0; i < layer.scales.numel(); ++i) {
    ASSERT_TRUE(std::isnormal(scales[i]) && scales[i] > 0.0F) << scales[i];
  }
  EXPECT_EQ(layer.zero_points.defined(), layer.scheme == Scheme::kAsymmetric);
  if (layer.zero_points.defined()) {
    EXPECT_EQ(layer.zero_points.scalar_type(), at::kChar);
    EXPECT_EQ(layer.zero_points.sizes(), layer.scales.sizes());
    expect_within(layer.zero_points, least);
  }
  EXPECT_FALSE(layer.input_scale.defined());
}

double figure_of(const WeightSettings& settings) {
  const at::Tensor weight = normal_weight(1024, 1024);
  return sqnr_db(weight, quantize_weight(layer_of(weight), settings));
}

TEST(QuantizeWeight, ReachesTheFiguresOfNormalWeights) {
  using enum SchemeChoice;
  EXPECT_GE(figure_of(settings_of(8, kSymmetric, Granularity::kChannel)), 42.0);
  EXPECT_GE(figure_of(settings_of(4, kAsymmetric, Granularity::kGroup, false, 128)),
            19.9);
  EXPECT_GE(figure_of(settings_of(4, kAsymmetric, Granularity::kGroup, true, 128)), 20.4);
  EXPECT_GE(figure_of(settings_of(4, kAsymmetric, Granularity::kGroup, true, 32)), 22.1);
  // Coding 4 bits by way of 8 gives -13.6 dB.
  EXPECT_GE(figure_of(settings_of(4, kSymmetric, Granularity::kChannel)), 15.0);
}

TEST(QuantizeWeight, KeepsCodesWithinTheirBits) {
  const at::Tensor weight = normal_weight(24, 96, 0.02, 0.01);
  for (const WeightSettings& settings : all_settings()) {
    SCOPED_TRACE(name_of(settings));
    const QuantizedLayer layer = quantize_weight(layer_of(weight), settings);
    expect_sound(layer, settings);
    EXPECT_EQ(layer.codes.sizes(), weight.sizes());
    EXPECT_EQ(layer.granularity, settings.granularity);
    const bool grouped = settings.granularity == Granularity::kGroup;
    EXPECT_EQ(layer.group_size, grouped ? 32 : 0);
    EXPECT_EQ(layer.scales.size(0),
              settings.granularity == Granularity::kTensor ? 1 : 24);
    EXPECT_EQ(layer.scales.size(1), grouped ? 3 : 1);
    EXPECT_EQ(layer.activation, ActivationTreatment::kNone);
  }
}

TEST(QuantizeWeight, DecodesToWithinHalfAStep) {
  const at::Tensor weight = normal_weight(24, 96, 0.02, 0.01);
  for (const WeightSettings& settings : all_settings({false})) {
    SCOPED_TRACE(name_of(settings));
    const QuantizedLayer layer = quantize_weight(layer_of(weight), settings);
    const at::Tensor steps = (decoded(layer) - weight.to(at::kDouble)).abs() /
                             over_columns(layer.scales.to(at::kDouble), 96);
    // The half is of a float that 255 steps make.
    EXPECT_LE(steps.max().item<double>(), 0.5 + 1e-4);
    EXPECT_GT(steps.max().item<double>(), 0.4);
  }
}

TEST(QuantizeWeight, IsNeverWorseWhereItClips) {
  const at::Tensor weight = normal_weight(64, 128);
  for (WeightSettings settings : all_settings({false})) {
    SCOPED_TRACE(name_of(settings));
    const double plain = sqnr_db(weight, quantize_weight(layer_of(weight), settings));
    settings.clips = true;
    const double clipped = sqnr_db(weight, quantize_weight(layer_of(weight), settings));
    EXPECT_GE(clipped, plain - 1e-9);
    if (settings.bits == 4) {
      EXPECT_GT(clipped, plain + 0.2);
    }
  }
}

/// An outlier of 100 sigma in a row spoils the row and no other.
TEST(QuantizeWeight, GivesEachChannelAScaleOfItsOwn) {
  at::Tensor weight = normal_weight(8, 64);
  weight[3][5] = 2.0F;
  const auto settings = settings_of(8, SchemeChoice::kSymmetric, Granularity::kChannel);
  const QuantizedLayer layer = quantize_weight(layer_of(weight), settings);
  for (int64_t row = 0; row < 8; ++row) {
    EXPECT_FLOAT_EQ(layer.scales[row][0].item<float>(),
                    weight[row].abs().max().item<float>() / 127.0F);
  }
}

TEST(QuantizeWeight, GivesTheSameBitsForAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  const at::Tensor weight = normal_weight(1024, 1024, 0.02, 0.015);
  for (const auto granularity : {Granularity::kTensor, Granularity::kGroup}) {
    const auto settings = settings_of(4, SchemeChoice::kAuto, granularity, true);
    at::set_num_threads(1);
    const QuantizedLayer one = quantize_weight(layer_of(weight), settings);
    at::set_num_threads(3);
    const QuantizedLayer three = quantize_weight(layer_of(weight), settings);
    EXPECT_TRUE(at::equal(one.codes, three.codes));
    EXPECT_TRUE(at::equal(one.scales, three.scales));
    EXPECT_EQ(one.scheme, three.scheme);
    // All rows, the last one too: a part that no thread took would be noise.
    EXPECT_GT(sqnr_db(weight.slice(0, 1000),
                      [&] {
                        QuantizedLayer last = three;
                        last.codes = three.codes.slice(0, 1000);
                        if (granularity == Granularity::kGroup) {
                          last.scales = three.scales.slice(0, 1000);
                          last.zero_points = three.zero_points.defined()
                                                 ? three.zero_points.slice(0, 1000)
                                                 : at::Tensor();
                        }
                        return last;
                      }()),
              15.0);
  }
  at::set_num_threads(before);
}

TEST(QuantizeWeight, DecidesTheSchemeByLayer) {
  const at::Tensor centred = normal_weight(64, 128);
  const at::Tensor shifted = normal_weight(64, 128, 0.02, 0.06);
  for (const int bits : {4, 8}) {
    for (const auto granularity :
         {Granularity::kTensor, Granularity::kChannel, Granularity::kGroup}) {
      for (const bool clips : {false, true}) {
        const auto settings = settings_of(bits, SchemeChoice::kAuto, granularity, clips);
        SCOPED_TRACE(name_of(settings));
        const QuantizedLayer plain = quantize_weight(layer_of(centred), settings);
        EXPECT_EQ(plain.scheme, Scheme::kSymmetric);
        EXPECT_FALSE(plain.zero_points.defined());
        const QuantizedLayer moved = quantize_weight(layer_of(shifted), settings);
        EXPECT_EQ(moved.scheme, Scheme::kAsymmetric);
        auto symmetric = settings;
        symmetric.scheme = SchemeChoice::kSymmetric;
        EXPECT_GT(sqnr_db(shifted, moved),
                  sqnr_db(shifted, quantize_weight(layer_of(shifted), symmetric)) + 3.0);
      }
    }
  }
}

TEST(QuantizeWeight, CodesWeightsOfAnySize) {
  struct Case {
    const char* name;
    at::Tensor weight;
    double least_db;  // of 8 bits
  };
  const at::Tensor normal = normal_weight(4, 32, 1.0);
  for (const Case& tried : {Case{"huge", normal * 3e37F, 40.0},
                            Case{"tiny", normal * 1e-35F, 40.0},
                            // Steps are at least 1.2e-38 here.
                            Case{"subnormal", normal * 1e-38F, -1.0},
                            Case{"one side", normal.abs() + 1.0F, 40.0}}) {
    for (const WeightSettings& settings : all_settings()) {
      SCOPED_TRACE(tried.name + (", " + name_of(settings)));
      const QuantizedLayer layer = quantize_weight(layer_of(tried.weight), settings);
      expect_sound(layer, settings);
      EXPECT_TRUE(at::isfinite(decoded(layer).to(at::kFloat)).all().item<bool>());
      if (settings.bits == 8) {
        EXPECT_GE(sqnr_db(tried.weight, layer), tried.least_db - 3.0);
      }
    }
  }
}

TEST(QuantizeWeight, CodesZerosAsZeros) {
  at::Tensor weight = normal_weight(4, 32);
  weight[2].zero_();
  for (const WeightSettings& settings : all_settings()) {
    SCOPED_TRACE(name_of(settings));
    const QuantizedLayer layer = quantize_weight(layer_of(weight), settings);
    expect_sound(layer, settings);
    EXPECT_EQ(decoded(layer)[2].abs().max().item<double>(), 0.0);
    if (settings.granularity != Granularity::kTensor) {
      EXPECT_EQ(layer.scales[2][0].item<float>(), 1.0F);
    }
    const QuantizedLayer all = quantize_weight(layer_of(at::zeros({3, 32})), settings);
    expect_sound(all, settings);
    EXPECT_EQ(decoded(all).abs().max().item<double>(), 0.0);
  }
}

TEST(QuantizeWeight, TakesOneColumnAndNoneAtAll) {
  for (WeightSettings settings : all_settings()) {
    if (settings.granularity == Granularity::kGroup) {
      continue;  // refused: RefusesAGroupThatDoesNotDivide
    }
    SCOPED_TRACE(name_of(settings));
    const at::Tensor column = normal_weight(40, 1);
    const QuantizedLayer layer = quantize_weight(layer_of(column), settings);
    expect_sound(layer, settings);
    // A channel of one weight is one code exactly.
    if (settings.granularity == Granularity::kChannel) {
      EXPECT_GT(sqnr_db(column, layer), 100.0);
    }
    for (const auto& sizes : {std::vector<int64_t>{0, 4}, std::vector<int64_t>{4, 0}}) {
      const QuantizedLayer none = quantize_weight(layer_of(at::zeros(sizes)), settings);
      expect_sound(none, settings);
      EXPECT_EQ(none.codes.sizes(), at::IntArrayRef(sizes));
    }
  }
}

std::string refusal_of(const at::Tensor& weight, const WeightSettings& settings) {
  return testing::error_of([&] {
    (void)quantize_weight(layer_of(weight), settings);
  });
}

TEST(QuantizeWeight, RefusesAGroupThatDoesNotDivide) {
  const auto groups_of = [](int64_t size) {
    return settings_of(4, SchemeChoice::kSymmetric, Granularity::kGroup, false, size);
  };
  EXPECT_EQ(refusal_of(at::zeros({4, 64}), groups_of(128)),
            "quantization: layer 'fc1' has 64 inputs, fewer than group_size 128 | use "
            "group_size 64 or 32 or 16");
  EXPECT_EQ(refusal_of(at::zeros({4, 96}), groups_of(64)),
            "quantization: layer 'fc1' has 96 inputs, which group_size 64 does not "
            "divide | use group_size 32 or 16");
  EXPECT_EQ(refusal_of(at::zeros({4, 27}), groups_of(16)),
            "quantization: layer 'fc1' has 27 inputs, which group_size 16 does not "
            "divide | use granularity channel, or leave it out with --exclude fc1");
  EXPECT_THAT(refusal_of(at::zeros({4, 1}), groups_of(16)),
              HasSubstr("has 1 inputs, fewer than group_size 16"));
}

TEST(QuantizeWeight, NamesTheLayerAndThePlaceOfWhatIsNotFinite) {
  std::vector<WeightSettings> all = all_settings();
  all.push_back(settings_of(16, SchemeChoice::kSymmetric, Granularity::kChannel));
  for (const WeightSettings& settings : all) {
    SCOPED_TRACE(name_of(settings));
    at::Tensor weight = normal_weight(4, 32);
    weight[3][17] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(refusal_of(weight, settings),
              "quantization: layer 'fc1' has weights that are not finite: nan in row 3, "
              "column 17 | train the model again, or leave the layer out with --exclude "
              "fc1");
    weight[0][2] = -std::numeric_limits<float>::infinity();
    EXPECT_THAT(refusal_of(weight, settings), HasSubstr("-inf in row 0, column 2"));
  }
}

TEST(QuantizeWeight, KeepsNumbersOfSixteenBits) {
  auto settings = settings_of(16, SchemeChoice::kSymmetric, Granularity::kChannel);
  const at::Tensor weight = normal_weight(8, 32);
  const QuantizedLayer brain = quantize_weight(layer_of(weight), settings);
  EXPECT_EQ(brain.bits, 16);
  EXPECT_EQ(brain.codes.scalar_type(), at::kBFloat16);
  EXPECT_FALSE(brain.scales.defined());
  EXPECT_FALSE(brain.zero_points.defined());
  // 8 and 11 bits: about 6 dB each.
  EXPECT_GT(sqnr_db(weight, brain), 50.0);
  settings.half_type = HalfType::kFloat16;
  const QuantizedLayer half = quantize_weight(layer_of(weight), settings);
  EXPECT_EQ(half.codes.scalar_type(), at::kHalf);
  EXPECT_GT(sqnr_db(weight, half), 68.0);
}

TEST(QuantizeWeight, RefusesWhatSixteenBitsCannotHold) {
  auto settings = settings_of(16, SchemeChoice::kSymmetric, Granularity::kChannel);
  const at::Tensor beyond_half = at::full({2, 2}, -65520.0);
  EXPECT_EQ(quantize_weight(layer_of(beyond_half), settings).bits, 16);
  EXPECT_EQ(refusal_of(at::full({2, 2}, 3.4e38), settings),
            "quantization: layer 'fc1' has weights beyond bfloat16, whose largest number "
            "is 3.39e38 | use bits 8, or leave it out with --exclude fc1");
  settings.half_type = HalfType::kFloat16;
  EXPECT_EQ(refusal_of(beyond_half, settings),
            "quantization: layer 'fc1' has weights beyond float16, whose largest number "
            "is 65504 | use half_type bfloat16");
  // Rounds to 65504.
  EXPECT_EQ(refusal_of(at::full({2, 2}, 65519.0), settings), "(no error)");
}

}  // namespace
}  // namespace sizewise::quantizers

#include "kernels/int4_product.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/made_up_rows.hpp"
#include "kernels/reference_product.hpp"

// The product of 4-bit weights in groups, at every level of this machine, against int64.

namespace sizewise::kernels {
namespace {

Int4Layer made_layer(int64_t channels,
                     int64_t columns,
                     int64_t group_size,
                     bool has_zeros,
                     bool has_bias) {
  Int4Layer layer{.channels = channels, .columns = columns, .group_size = group_size};
  const int64_t groups = (columns + group_size - 1) / group_size;
  const auto of_groups = static_cast<std::size_t>(channels * groups);
  layer.codes =
      random_values<uint8_t>(static_cast<std::size_t>(channels * columns), 0, 15, 1);
  layer.scale = random_floats(of_groups, 0.001F, 0.1F, 2);
  if (has_zeros) {
    layer.zero_point = random_values<uint8_t>(of_groups, 0, 15, 3);
  }
  if (has_bias) {
    layer.bias = random_floats(static_cast<std::size_t>(channels), -5.0F, 5.0F, 4);
  }
  return layer;
}

std::vector<float> product(const Int4Layer& layer,
                           const CodedRows& x,
                           const LevelFunctions& level) {
  const Int4Weights weights = layer.packed();
  Int4Input input;
  prepare_input(weights, x, input, level);
  std::vector<float> out(static_cast<std::size_t>(x.rows * layer.channels), -1.0F);
  multiply(weights,
           x,
           input,
           {0, layer.channels},
           layer.bias_or_null(),
           out.data(),
           layer.channels,
           level);
  return out;
}

void expect_truth(const Int4Layer& layer, const CodedRows& x) {
  const std::vector<double> truth = reference_product(layer, x);
  const std::vector<float> portable = product(layer, x, portable_functions());
  on_each_level([&](const LevelFunctions& level) {
    const std::vector<float> out = product(layer, x, level);
    EXPECT_LE(relative_error(out, truth), kTolerance);
    EXPECT_EQ(out, portable);
  });
}

TEST(Int4Product, IsExactForEachShapeAndGroup) {
  for (const int64_t channels : {1, 16, 17, 64, 70, 112, 130}) {
    for (const int64_t columns : {1, 7, 8, 32, 67, 128, 200}) {
      for (const int64_t group : {int64_t{16}, int64_t{32}, int64_t{48}, columns}) {
        if (group > columns) {
          continue;
        }
        SCOPED_TRACE(std::to_string(channels) + " x " + std::to_string(columns) + " by " +
                     std::to_string(group));
        const CodeBuffer x = made_codes(3, columns, Codes::kRandom, ScalePer::kRow, 5);
        expect_truth(made_layer(channels, columns, group, true, true), x.view());
      }
    }
  }
}

TEST(Int4Product, IsExactForEachBatch) {
  const Int4Layer layer = made_layer(81, 256, 128, true, true);
  for (int64_t rows = 0; rows <= 18; ++rows) {
    SCOPED_TRACE(rows);
    expect_truth(layer, made_codes(rows, 256, Codes::kRandom, ScalePer::kRow, 6).view());
  }
}

TEST(Int4Product, IsExactWithAndWithoutEachTerm) {
  for (const bool has_zeros : {false, true}) {
    for (const bool has_bias : {false, true}) {
      for (const int32_t zero : {128, 0, 255}) {
        CodeBuffer x = made_codes(5, 96, Codes::kRandom, ScalePer::kTensor, 7);
        x.set_parameters(0, {0.25F, zero});
        expect_truth(made_layer(70, 96, 32, has_zeros, has_bias), x.view());
      }
    }
  }
}

TEST(Int4Product, IsExactForTheWorstValues) {
  for (const uint8_t weight : {0, 15}) {
    for (const uint8_t zero : {0, 15}) {
      for (const Codes kind : {Codes::kAll255, Codes::kAll0}) {
        for (const int32_t x_zero : {0, 255}) {
          Int4Layer layer = made_layer(20, 5000, 5000, true, false);
          layer.codes.assign(layer.codes.size(), weight);
          layer.zero_point.assign(layer.zero_point.size(), zero);
          CodeBuffer x = made_codes(2, 5000, kind, ScalePer::kRow, 8);
          x.set_parameters(0, {0.5F, x_zero});
          x.set_parameters(1, {0.5F, 255 - x_zero});
          expect_truth(layer, x.view());
        }
      }
    }
  }
}

TEST(Int4Product, TakesGroupsLongerThanAFloatSumsExactly) {
  const CodeBuffer x = made_codes(2, 9000, Codes::kRandom, ScalePer::kRow, 9);
  for (const int64_t group : {2048, 2064, 4096, 9000}) {
    SCOPED_TRACE(group);
    expect_truth(made_layer(33, 9000, group, true, true), x.view());
  }
}

TEST(Int4Product, WritesNothingOutsideItsRange) {
  const Int4Layer layer = made_layer(150, 64, 16, true, false);
  const Int4Weights weights = layer.packed();
  const CodeBuffer x = made_codes(2, 64, Codes::kRandom, ScalePer::kRow, 10);
  const std::vector<double> truth = reference_product(layer, x.view());
  on_each_level([&](const LevelFunctions& level) {
    Int4Input input;
    prepare_input(weights, x.view(), input, level);
    constexpr float kUntouched = -12345.0F;
    std::vector<float> out(320, kUntouched);  // 2 rows of 160
    multiply(weights, x.view(), input, {64, 150}, nullptr, out.data(), 160, level);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t n = i % 160;
      if (n >= 64 && n < 150) {
        EXPECT_NEAR(out[i], truth[i / 160 * 150 + n], 1e-2);
      } else {
        EXPECT_EQ(out[i], kUntouched) << i;
      }
    }
  });
}

float float_of_bf16(uint16_t upper) {
  const uint32_t bits = uint32_t{upper} << 16;
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

TEST(Int4Product, UnpacksTiles) {
  for (const bool has_zeros : {false, true}) {
    const Int4Layer layer = made_layer(75, 70, 16, has_zeros, false);
    const Int4Weights weights = layer.packed();
    on_each_level([&](const LevelFunctions& level) {
      constexpr int64_t kStride = 80;
      std::vector<float> floats(70 * kStride, -1.0F);
      std::vector<uint16_t> halves(70 * kStride, 7);
      unpack_tile(weights, {3, 73}, floats.data(), kStride, level);
      unpack_tile(weights, {3, 73}, halves.data(), kStride, level);
      for (std::size_t n = 0; n < 70; ++n) {
        for (std::size_t k = 0; k < 70; ++k) {
          const std::size_t group = (n + 3) * 5 + k / 16;
          const int zero = has_zeros ? layer.zero_point[group] : 8;
          const float weight = static_cast<float>(layer.codes[(n + 3) * 70 + k] - zero) *
                               layer.scale[group];
          EXPECT_EQ(floats[n * kStride + k], weight);
          EXPECT_NEAR(
              float_of_bf16(halves[n * kStride + k]), weight, std::fabs(weight) / 256.0F);
        }
        EXPECT_EQ(floats[n * kStride + 70], -1.0F);
        EXPECT_EQ(halves[n * kStride + 70], 7);
      }
    });
  }
}

TEST(Int4Product, RoundsBf16HalfToEven) {
  // 1 + 2^-8 lies between 1 and 1 + 2^-7; 1 + 3 * 2^-8 between that and 1 + 2^-6.
  const std::vector<uint8_t> codes(32, 9);
  const std::vector<float> scale{1.0F + 0x1p-8F, 1.0F + 3 * 0x1p-8F};
  const Int4Weights weights(codes, 2, 16, 16, scale);
  on_each_level([&](const LevelFunctions& level) {
    std::vector<uint16_t> out(32);
    unpack_tile(weights, {0, 2}, out.data(), 16, level);
    EXPECT_EQ(float_of_bf16(out[5]), 1.0F);
    EXPECT_EQ(float_of_bf16(out[21]), 1.0F + 0x1p-6F);
  });
}

TEST(Int4Product, GivesItsCodesBackAndCountsItsBytes) {
  const Int4Layer layer = made_layer(77, 128, 32, true, false);
  const Int4Weights weights = layer.packed();
  EXPECT_EQ(weights.codes(), layer.codes);
  EXPECT_EQ(weights.groups(), 4);
  EXPECT_EQ(weights.group_size(), 32);
  EXPECT_EQ(weights.bytes(), 80 * 128 / 2 + 128 * 4 * 7);
}

TEST(Int4Product, RefusesWhatDoesNotFit) {
  std::vector<uint8_t> codes(64);
  const std::vector<float> scale(4, 1.0F);
  const std::vector<uint8_t> zero(4, 16);
  const float infinite = std::numeric_limits<float>::infinity();
  const std::vector<float> bad{1.0F, 1.0F, infinite, 1.0F};
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 24, scale);
            }),
            "a group of 24 of 32 inputs cannot be packed");
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 0, scale);
            }),
            "a group of 0 of 32 inputs cannot be packed");
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 48, scale);
            }),
            "a group of 48 of 32 inputs cannot be packed");
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 32, scale);
            }),
            "the weight's scale has 4 elements; 2 are needed");
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 16, bad);
            }),
            "the weight's scale is inf at element 2; only finite numbers are allowed");
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 16, scale, zero);
            }),
            "a weight's zero point is 16 at element 0; 4 bits hold 0 to 15");
  const Int4Weights weights(codes, 2, 32, 16, scale);
  const CodeBuffer x = made_codes(1, 4, Codes::kAll0, ScalePer::kRow, 1);
  Int4Input input;
  std::vector<float> out(2);
  EXPECT_EQ(message_of([&] {
              prepare_input(weights, x.view(), input);
            }),
            "the input has 4 columns; the weight has 32");
  EXPECT_EQ(message_of([&] {
              multiply(weights, x.view(), input, {0, 2}, nullptr, out.data(), 2);
            }),
            "the input has 4 columns; the weight has 32");
  codes[63] = 16;
  EXPECT_EQ(message_of([&] {
              Int4Weights(codes, 2, 32, 16, scale);
            }),
            "a weight's code is 16 at element 63; 4 bits hold 0 to 15");
}

}  // namespace
}  // namespace sizewise::kernels

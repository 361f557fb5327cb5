#include "kernels/int8_product.hpp"

#include <limits>
#include <tuple>

#include "kernels/made_up_rows.hpp"
#include "kernels/reference_product.hpp"

// The exact product of bytes, at every level of this machine, against int64.

namespace sizewise::kernels {
namespace {

Int8Layer made_layer(int64_t channels, int64_t columns, bool has_zeros, bool has_bias) {
  const auto size = static_cast<std::size_t>(channels * columns);
  const auto count = static_cast<std::size_t>(channels);
  Int8Layer layer{.channels = channels, .columns = columns};
  layer.codes = random_values<int8_t>(size, -128, 127, 1);
  layer.scale = random_floats(count, 0.001F, 0.1F, 2);
  if (has_zeros) {
    layer.zero_point = random_values<int32_t>(count, -128, 127, 3);
  }
  if (has_bias) {
    layer.bias = random_floats(count, -5.0F, 5.0F, 4);
  }
  return layer;
}

std::vector<float> product(const Int8Layer& layer,
                           const CodedRows& x,
                           const LevelFunctions& level) {
  std::vector<float> out(static_cast<std::size_t>(x.rows * layer.channels), -1.0F);
  multiply(layer.packed(),
           x,
           {0, layer.channels},
           layer.bias_or_null(),
           out.data(),
           layer.channels,
           level);
  return out;
}

void expect_truth(const Int8Layer& layer, const CodedRows& x) {
  const std::vector<double> truth = reference_product(layer, x);
  const std::vector<float> portable = product(layer, x, portable_functions());
  on_each_level([&](const LevelFunctions& level) {
    const std::vector<float> out = product(layer, x, level);
    EXPECT_LE(relative_error(out, truth), kTolerance);
    EXPECT_EQ(out, portable);
  });
}

TEST(Int8Product, IsExactForEachShape) {
  for (const int64_t channels : {1, 10, 16, 17, 63, 64, 65, 112, 128, 200}) {
    for (const int64_t columns : {1, 3, 4, 5, 67, 128, 513}) {
      const Int8Layer layer = made_layer(channels, columns, true, true);
      const CodeBuffer x = made_codes(3, columns, Codes::kRandom, ScalePer::kRow, 7);
      SCOPED_TRACE(std::to_string(channels) + " x " + std::to_string(columns));
      expect_truth(layer, x.view());
    }
  }
}

TEST(Int8Product, IsExactForEachBatch) {
  const Int8Layer layer = made_layer(81, 70, true, true);
  for (int64_t rows = 0; rows <= 20; ++rows) {
    SCOPED_TRACE(rows);
    expect_truth(layer, made_codes(rows, 70, Codes::kRandom, ScalePer::kRow, 8).view());
  }
}

TEST(Int8Product, IsExactByPiecesOfManyColumns) {
  for (const int64_t columns : {256, 257, 512, 700}) {
    SCOPED_TRACE(columns);
    const Int8Layer layer = made_layer(81, columns, true, true);
    for (const int64_t rows : {191, 192, 193, 250}) {
      SCOPED_TRACE(rows);
      expect_truth(layer,
                   made_codes(rows, columns, Codes::kRandom, ScalePer::kRow, 9).view());
    }
  }
}

TEST(Int8Product, IsExactWithAndWithoutEachTerm) {
  for (const bool has_zeros : {false, true}) {
    for (const bool has_bias : {false, true}) {
      for (const ScalePer scale_per : {ScalePer::kTensor, ScalePer::kRow}) {
        const CodeBuffer x = made_codes(5, 100, Codes::kRandom, scale_per, 9);
        expect_truth(made_layer(70, 100, has_zeros, has_bias), x.view());
      }
    }
  }
}

TEST(Int8Product, IsExactForTheWorstValues) {
  for (const int weight : {-128, 127}) {
    for (const Codes kind : {Codes::kAll255, Codes::kAll0}) {
      for (const int32_t zero : {-128, 127}) {
        Int8Layer layer = made_layer(70, 4096, true, false);
        layer.codes.assign(layer.codes.size(), static_cast<int8_t>(weight));
        layer.zero_point.assign(layer.zero_point.size(), zero);
        for (const int32_t x_zero : {0, 255}) {
          CodeBuffer x = made_codes(2, 4096, kind, ScalePer::kRow, 10);
          x.set_parameters(0, {0.5F, x_zero});
          x.set_parameters(1, {0.5F, 255 - x_zero});
          expect_truth(layer, x.view());
        }
      }
    }
  }
}

TEST(Int8Product, DoesNotOverflowHoweverManyColumnsThereAre) {
  for (const int64_t columns :
       {kMostInt8Columns, kMostInt8Columns + 1, 4 * kMostInt8Columns + 13}) {
    SCOPED_TRACE(columns);
    Int8Layer layer = made_layer(18, columns, true, true);
    layer.codes.assign(layer.codes.size(), -128);
    layer.zero_point.assign(layer.zero_point.size(), 127);
    CodeBuffer x = made_codes(2, columns, Codes::kAll255, ScalePer::kRow, 11);
    x.set_parameters(0, {0.5F, 0});
    x.set_parameters(1, {0.5F, 255});
    expect_truth(layer, x.view());
  }
}

TEST(Int8Product, WritesNothingOutsideItsRange) {
  const Int8Layer layer = made_layer(200, 33, false, true);
  const CodeBuffer x = made_codes(3, 33, Codes::kRandom, ScalePer::kTensor, 12);
  const std::vector<double> truth = reference_product(layer, x.view());
  on_each_level([&](const LevelFunctions& level) {
    constexpr float kUntouched = -12345.0F;
    std::vector<float> out(630, kUntouched);  // 3 rows of 210
    const Int8Weights weights = layer.packed();
    for (int64_t part = 0; part < 3; part += 2) {  // not the one between
      multiply(weights,
               x.view(),
               part_of_channels(200, part, 3),
               layer.bias_or_null(),
               out.data(),
               210,
               level);
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t n = i % 210;
      if (n < 64 || (n >= 128 && n < 200)) {
        EXPECT_NEAR(out[i], truth[i / 210 * 200 + n], 1e-2);
      } else {
        EXPECT_EQ(out[i], kUntouched) << i;
      }
    }
  });
}

TEST(Int8Product, PartsOfChannelsCoverThem) {
  for (const int64_t channels : {0, 10, 64, 65, 1000}) {
    for (const int64_t parts : {1, 2, 3, 40}) {
      int64_t next = 0;
      for (int64_t part = 0; part < parts; ++part) {
        const ChannelRange range = part_of_channels(channels, part, parts);
        EXPECT_EQ(range.first, next);
        EXPECT_TRUE(range.first % 64 == 0 || range.first == range.last);
        next = range.last;
      }
      EXPECT_EQ(next, channels);
    }
  }
}

TEST(Int8Product, TakesOneScaleForAllAndNoColumns) {
  const std::vector<int8_t> codes{1, 2, 3, 4};
  const std::vector<float> scale{0.5F};
  const Int8Weights weights(codes, 2, 2, scale);
  CodeBuffer x = made_codes(1, 2, Codes::kAll255, ScalePer::kTensor, 1);
  x.set_parameters(0, {1.0F, 0});
  std::vector<float> out(2);
  multiply(weights, x.view(), {0, 2}, nullptr, out.data(), 2);
  EXPECT_EQ(out, (std::vector<float>{382.5F, 892.5F}));
  const Int8Weights none({}, 2, 0, scale);
  const CodeBuffer no_columns = made_codes(1, 0, Codes::kAll0, ScalePer::kRow, 1);
  const std::vector<float> bias{3.0F, 4.0F};
  multiply(none, no_columns.view(), {0, 2}, bias.data(), out.data(), 2);
  EXPECT_EQ(out, bias);
}

TEST(Int8Product, GivesItsCodesBackAndCountsItsBytes) {
  const Int8Layer layer = made_layer(77, 45, true, false);
  const Int8Weights weights = layer.packed();
  EXPECT_EQ(weights.codes(), layer.codes);
  EXPECT_EQ(weights.channels(), 77);
  EXPECT_EQ(weights.columns(), 45);
  EXPECT_GE(weights.bytes(), 77 * 45);
  EXPECT_LE(weights.bytes(), 80 * 48 + 128 * 20);
}

TEST(Int8Product, RefusesWhatDoesNotFit) {
  const std::vector<int8_t> codes(6);
  const std::vector<float> scale{1.0F};
  const std::vector<float> bad{1.0F, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<int32_t> zero{128};
  EXPECT_EQ(message_of([&] {
              Int8Weights(codes, 2, 4, scale);
            }),
            "the weight has 6 elements; 8 are needed");
  EXPECT_EQ(message_of([&] {
              Int8Weights(codes, 3, 2, bad);
            }),
            "the weight's scale has 2 elements; 3 are needed");
  EXPECT_EQ(message_of([&] {
              Int8Weights(codes, 2, 3, bad);
            }),
            "the weight's scale is nan at element 1; only finite numbers are allowed");
  EXPECT_EQ(message_of([&] {
              Int8Weights(codes, 2, 3, scale, zero);
            }),
            "a weight's zero point is 128; allowed: -128 to 127");
  EXPECT_EQ(message_of([&] {
              Int8Weights(codes, -2, -3, scale);
            }),
            "a weight of -2 x -3 cannot be packed; outputs are 0 or more, inputs 0 to "
            "8388608");
  const Int8Weights weights(codes, 2, 3, scale);
  const CodeBuffer x = made_codes(1, 4, Codes::kAll0, ScalePer::kRow, 1);
  std::vector<float> out(2);
  EXPECT_EQ(message_of([&] {
              multiply(weights, x.view(), {0, 2}, nullptr, out.data(), 2);
            }),
            "the input has 4 columns; the weight has 3");
}

TEST(Int8Product, UnpacksAnyChannels) {
  constexpr int64_t kChannels = 70;
  constexpr int64_t kColumns = 13;
  const auto codes = random_values<int8_t>(kChannels * kColumns, -128, 127, 3);
  const auto scale = random_floats(kChannels, 0.1F, 2.0F, 4);
  const auto zeros = random_values<int32_t>(kChannels, -128, 127, 5);
  for (const bool asymmetric : {false, true}) {
    const Int8Weights weights(
        codes, kChannels, kColumns, scale, asymmetric ? zeros : std::vector<int32_t>());
    std::vector<float> tile(std::size_t{5} * 20);
    unpack_tile(weights, {62, 67}, tile.data(), 20);
    for (std::size_t n = 62; n < 67; ++n) {
      for (std::size_t k = 0; k < kColumns; ++k) {
        const int code = codes[n * kColumns + k] - (asymmetric ? zeros[n] : 0);
        EXPECT_EQ(tile[(n - 62) * 20 + k], static_cast<float>(code) * scale[n]);
      }
    }
  }
}

}  // namespace
}  // namespace sizewise::kernels

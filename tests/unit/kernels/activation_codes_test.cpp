#include "kernels/activation_codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/made_up_rows.hpp"

// Codes of floats against their definition, at every level of this machine.

namespace sizewise::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

FloatRows rows_of(const std::vector<float>& values, int64_t rows, int64_t columns) {
  return {values.data(), rows, columns, columns};
}

int code_of(float value, CodeParameters parameters) {
  const float rounded = std::nearbyint(value / parameters.scale);
  return static_cast<int>(
      std::clamp(rounded + static_cast<float>(parameters.zero_point), 0.0F, 255.0F));
}

/// ONNX's DynamicQuantizeLinear, of values that are not all 0.
CodeParameters onnx_parameters(const float* values, int64_t count) {
  const float low = std::min(0.0F, *std::min_element(values, values + count));
  const float high = std::max(0.0F, *std::max_element(values, values + count));
  const float scale = (high - low) / 255.0F;
  return {scale, static_cast<int32_t>(std::nearbyint(0.0F - low / scale))};
}

void expect_codes(const CodedRows& coded, const FloatRows& rows) {
  for (int64_t m = 0; m < rows.rows; ++m) {
    const CodeParameters parameters{coded.scale[m * coded.parameter_step()],
                                    coded.zero_point[m * coded.parameter_step()]};
    int32_t sum = 0;
    for (int64_t k = 0; k < rows.columns; ++k) {
      const int code = coded.codes[m * coded.stride + k];
      ASSERT_EQ(code, code_of(rows.values[m * rows.stride + k], parameters))
          << m << ", " << k;
      sum += code;
    }
    EXPECT_EQ(coded.sum[m], sum);
  }
}

TEST(ActivationCodes, AreThoseOfOnnxForEachRowAndLength) {
  for (int64_t columns = 1; columns <= 150; ++columns) {
    const auto size = static_cast<std::size_t>(3 * (columns + 5));
    const std::vector<float> values =
        random_floats(size, -3.0F, 7.0F, static_cast<uint32_t>(columns));
    const FloatRows rows{values.data(), 3, columns, columns + 5};
    on_each_level([&](const LevelFunctions& level) {
      CodeBuffer buffer;
      ASSERT_FALSE(
          quantize_dynamic(rows, CodeRange::kAsymmetric, ScalePer::kRow, buffer, level));
      const CodedRows coded = buffer.view();
      expect_codes(coded, rows);
      for (int64_t m = 0; m < 3; ++m) {
        const CodeParameters expected =
            onnx_parameters(values.data() + m * rows.stride, columns);
        EXPECT_EQ(coded.scale[m], expected.scale);
        EXPECT_EQ(coded.zero_point[m], expected.zero_point);
      }
    });
  }
}

TEST(ActivationCodes, TakeOneScaleForATensor) {
  const std::vector<float> values = random_floats(40, -1.0F, 1.0F, 3);
  on_each_level([&](const LevelFunctions& level) {
    CodeBuffer buffer;
    const FloatRows rows = rows_of(values, 4, 10);
    ASSERT_FALSE(
        quantize_dynamic(rows, CodeRange::kAsymmetric, ScalePer::kTensor, buffer, level));
    EXPECT_EQ(buffer.view().scale[0], onnx_parameters(values.data(), 40).scale);
    EXPECT_FALSE(buffer.view().per_row);
    expect_codes(buffer.view(), rows);
  });
}

TEST(ActivationCodes, AreSymmetricAround128) {
  const std::vector<float> values{-2.0F, 0.0F, 1.0F, 2.0F, 0.5F, 0.25F};
  on_each_level([&](const LevelFunctions& level) {
    CodeBuffer buffer;
    ASSERT_FALSE(quantize_dynamic(
        rows_of(values, 2, 3), CodeRange::kSymmetric, ScalePer::kRow, buffer, level));
    const CodedRows coded = buffer.view();
    EXPECT_EQ(coded.codes[0], 1);
    EXPECT_EQ(coded.codes[1], 128);
    EXPECT_EQ(coded.codes[coded.stride], 255);
    EXPECT_EQ(coded.zero_point[0], 128);
    EXPECT_EQ(coded.scale[1], 2.0F / 127.0F);
  });
}

TEST(ActivationCodes, RoundHalfToEvenAndSaturate) {
  const std::vector<float> values{
      0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 3.49999F, 1e30F, -1e30F};
  const std::vector<int> expected{10, 12, 12, 10, 8, 13, 255, 0};
  on_each_level([&](const LevelFunctions& level) {
    CodeBuffer buffer;
    ASSERT_FALSE(quantize_static(rows_of(values, 1, 8), {1.0F, 10}, buffer, level));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(buffer.row(0)[i], expected[i]) << values[i];
    }
  });
}

TEST(ActivationCodes, KeepZeroExact) {
  const std::vector<float> values{-0.3F, 0.0F, 0.9F};
  CodeBuffer buffer;
  ASSERT_FALSE(quantize_dynamic(
      rows_of(values, 1, 3), CodeRange::kAsymmetric, ScalePer::kRow, buffer));
  EXPECT_EQ(buffer.row(0)[1], buffer.view().zero_point[0]);
}

TEST(ActivationCodes, OfOneValueAllOver) {
  for (const float value : {5.0F, -5.0F}) {
    const std::vector<float> values(40, value);
    CodeBuffer buffer;
    ASSERT_FALSE(quantize_dynamic(
        rows_of(values, 1, 40), CodeRange::kAsymmetric, ScalePer::kRow, buffer));
    const CodedRows coded = buffer.view();
    EXPECT_EQ(coded.codes[39], value > 0.0F ? 255 : 0);
    EXPECT_EQ(coded.zero_point[0], value > 0.0F ? 0 : 255);
    const auto code = static_cast<float>(coded.codes[39] - coded.zero_point[0]);
    EXPECT_FLOAT_EQ(code * coded.scale[0], value);
  }
}

TEST(ActivationCodes, OfZerosHaveScaleOne) {
  const std::vector<float> values{0.0F, -0.0F, 0.0F};
  for (const CodeRange kind : {CodeRange::kAsymmetric, CodeRange::kSymmetric}) {
    CodeBuffer buffer;
    ASSERT_FALSE(quantize_dynamic(rows_of(values, 1, 3), kind, ScalePer::kRow, buffer));
    EXPECT_EQ(buffer.view().scale[0], 1.0F);
    EXPECT_EQ(buffer.row(0)[1], buffer.view().zero_point[0]);
  }
}

TEST(ActivationCodes, OfTheSmallestAndLargestFloatsAreFinite) {
  const float most = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  for (const float end : {most, least}) {
    const std::vector<float> values{-end, 0.0F, end};
    for (const CodeRange kind : {CodeRange::kAsymmetric, CodeRange::kSymmetric}) {
      CodeBuffer buffer;
      const FloatRows rows = rows_of(values, 1, 3);
      ASSERT_FALSE(quantize_dynamic(rows, kind, ScalePer::kRow, buffer));
      EXPECT_TRUE(std::isnormal(buffer.view().scale[0]));
      expect_codes(buffer.view(), rows);
    }
  }
}

TEST(ActivationCodes, NameTheFirstValueThatIsNotFinite) {
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (const int64_t column : {0, 1, 16, 36}) {
      std::vector<float> values = random_floats(148, -1.0F, 1.0F, 5);  // 4 rows of 37
      values[static_cast<std::size_t>(74 + column)] = bad;
      values[147] = kNan;  // a later one
      const FloatRows rows = rows_of(values, 4, 37);
      on_each_level([&](const LevelFunctions& level) {
        CodeBuffer buffer;
        const auto found = {
            quantize_dynamic(rows, CodeRange::kAsymmetric, ScalePer::kRow, buffer, level),
            quantize_dynamic(
                rows, CodeRange::kSymmetric, ScalePer::kTensor, buffer, level),
            quantize_static(rows, {1.0F, 0}, buffer, level)};
        for (const std::optional<NonFinite>& place : found) {
          ASSERT_TRUE(place.has_value());
          EXPECT_EQ(place->row, 2);
          EXPECT_EQ(place->column, column);
        }
      });
    }
  }
}

TEST(ActivationCodes, OfNothingAreNothing) {
  CodeBuffer buffer;
  for (const auto& [rows, columns] : {std::pair{0, 5}, std::pair{3, 0}}) {
    const FloatRows none{nullptr, rows, columns, columns};
    EXPECT_FALSE(quantize_dynamic(none, CodeRange::kAsymmetric, ScalePer::kRow, buffer));
    EXPECT_FALSE(
        quantize_dynamic(none, CodeRange::kAsymmetric, ScalePer::kTensor, buffer));
    EXPECT_EQ(buffer.view().rows, rows);
    EXPECT_EQ(buffer.view().scale[0], 1.0F);
  }
}

TEST(ActivationCodes, LeaveZerosBehindEachRowWhenABufferIsUsedAgain) {
  CodeBuffer buffer;
  const std::vector<float> values(200, 1.0F);
  for (const auto& [rows, columns] : {std::pair{2, 100}, {1, 70}, {3, 10}, {1, 1}}) {
    ASSERT_FALSE(quantize_dynamic(
        rows_of(values, rows, columns), CodeRange::kAsymmetric, ScalePer::kRow, buffer));
    for (int64_t m = 0; m < rows; ++m) {
      EXPECT_EQ(buffer.row(m)[0], 255);
      for (int64_t k = columns; k < buffer.view().stride; ++k) {
        EXPECT_EQ(buffer.row(m)[k], 0);
      }
    }
  }
}

TEST(ActivationCodes, RefuseBadParameters) {
  CodeBuffer buffer;
  const std::vector<float> values(3);
  const FloatRows rows = rows_of(values, 1, 3);
  for (const CodeParameters bad : {CodeParameters{0.0F, 0},
                                   CodeParameters{-1.0F, 0},
                                   CodeParameters{kNan, 0},
                                   CodeParameters{kInfinity, 0},
                                   CodeParameters{1.0F, -1},
                                   CodeParameters{1.0F, 256}}) {
    EXPECT_NE(message_of([&] {
                static_cast<void>(quantize_static(rows, bad, buffer));
              }).find("cannot be used"),
              std::string::npos);
  }
}

TEST(ActivationCodes, RefuseMoreColumnsThanSumsHold) {
  CodeBuffer buffer;
  EXPECT_EQ(message_of([&] {
              buffer.prepare(1, kMostColumns + 1, ScalePer::kRow);
            }),
            "a layer of 8388609 inputs is wider than integer sums of 32 bits allow: "
            "8388608");
}

TEST(ActivationCodes, SplitsARowInHalvesThatAreItTo16Bits) {
  constexpr int64_t kColumns = 77;
  std::vector<float> values = random_floats(3 * kColumns, -3.0F, 7.0F, 9);
  std::fill(values.end() - kColumns, values.end(), 0.0F);
  values[0] = -9.0F;
  const FloatRows rows = rows_of(values, 3, kColumns);
  on_each_level([&](const LevelFunctions& level) {
    CodeBuffer buffer;
    buffer.prepare(6, kColumns, ScalePer::kRow);
    ASSERT_FALSE(encode_rows_split(rows, 0, 3, buffer, level));
    const CodedRows coded = buffer.view();
    for (int64_t m = 0; m < 3; ++m) {
      const float most = m == 0 ? 9.0F : m == 1 ? 7.0F : 0.0F;
      int32_t sums[2] = {0, 0};
      for (int64_t k = 0; k < kColumns; ++k) {
        double value = 0.0;
        for (const int64_t half : {0, 1}) {
          const int code = coded.codes[(m + 3 * half) * coded.stride + k];
          value += (code - 128) * static_cast<double>(coded.scale[m + 3 * half]);
          sums[half] += code;
        }
        EXPECT_NEAR(
            value, values[static_cast<std::size_t>(m * kColumns + k)], most / 65000);
      }
      EXPECT_EQ(coded.sum[m], sums[0]);
      EXPECT_EQ(coded.sum[m + 3], sums[1]);
    }
    values[kColumns + 5] = kInfinity;
    const auto bad = encode_rows_split(rows, 0, 3, buffer, level);
    values[kColumns + 5] = 0.5F;
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->row, 1);
    EXPECT_EQ(bad->column, 5);
  });
}

}  // namespace
}  // namespace sizewise::kernels

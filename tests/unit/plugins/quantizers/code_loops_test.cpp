#include "code_loops.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace sizewise::quantizers {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kLeastNormal = std::numeric_limits<float>::min();

std::vector<float> some_values(std::size_t count) {
  std::mt19937_64 generator(7);
  std::normal_distribution<float> normal(0.01F, 0.02F);
  std::vector<float> values(count);
  std::generate(values.begin(), values.end(), [&] {
    return normal(generator);
  });
  return values;
}

ValueRange range_of_all(const std::vector<float>& values) {
  return range_of(values.data(), static_cast<int64_t>(values.size()));
}

TEST(CodeLimits, AreThoseOfTheBits) {
  EXPECT_EQ(code_limits(8).least, -128.0F);
  EXPECT_EQ(code_limits(8).most, 127.0F);
  EXPECT_EQ(code_limits(4).least, -8.0F);
  EXPECT_EQ(code_limits(4).most, 7.0F);
}

TEST(RangeOf, IsThatOfTheValuesAndZero) {
  const ValueRange range = range_of_all({0.5F, -2.0F, 3.0F, -0.0F, 1e-45F});
  EXPECT_EQ(range.low, -2.0F);
  EXPECT_EQ(range.high, 3.0F);
  EXPECT_TRUE(range.is_finite);
  EXPECT_EQ(range_of_all({2.0F, 3.0F}).low, 0.0F);
  EXPECT_EQ(range_of_all({-2.0F, -3.0F}).high, 0.0F);
  EXPECT_FALSE(std::signbit(range_of_all({-0.0F}).low));
  EXPECT_EQ(range_of_all({}).high, 0.0F);
  EXPECT_TRUE(range_of_all({kLargest, -kLargest}).is_finite);
}

TEST(RangeOf, FindsWhatIsNotFiniteAtAnyPlace) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, -nan, kInfinite, -kInfinite}) {
    for (std::size_t place = 0; place < 37; ++place) {
      std::vector<float> values = some_values(37);
      values[place] = bad;
      EXPECT_FALSE(range_of_all(values).is_finite) << bad << " at " << place;
    }
  }
}

TEST(ScaleOf, SpansTheRangeAndHoldsZeroExactly) {
  const CodeLimits limits = code_limits(8);
  const CodeScale symmetric = scale_of({-1.0F, 2.54F}, 1.0, limits, false);
  EXPECT_FLOAT_EQ(symmetric.scale, 0.02F);
  EXPECT_EQ(symmetric.zero_point, 0.0F);
  const CodeScale asymmetric = scale_of({-1.0F, 1.55F}, 1.0, limits, true);
  EXPECT_FLOAT_EQ(asymmetric.scale, 0.01F);
  EXPECT_EQ(asymmetric.zero_point, -28.0F);
  EXPECT_FLOAT_EQ(scale_of({-1.0F, 1.55F}, 0.5, limits, true).scale, 0.005F);
  // All on one side of 0.
  EXPECT_EQ(scale_of({0.0F, 5.0F}, 1.0, limits, true).zero_point, -128.0F);
  EXPECT_EQ(scale_of({-5.0F, 0.0F}, 1.0, limits, true).zero_point, 127.0F);
}

TEST(ScaleOf, IsANormalNumberWhoseCodesDecodeToFiniteOnes) {
  for (const int bits : {4, 8}) {
    const CodeLimits limits = code_limits(bits);
    for (const bool has_zero_point : {false, true}) {
      EXPECT_EQ(scale_of({0.0F, 0.0F}, 1.0, limits, has_zero_point).scale, 1.0F);
      for (const ValueRange& range : {ValueRange{0.0F, 1e-45F},
                                      ValueRange{-1e-45F, 0.0F},
                                      ValueRange{-kLeastNormal, kLeastNormal},
                                      ValueRange{-1e38F, 1e38F},
                                      ValueRange{-kLargest, kLargest},
                                      ValueRange{-kLargest, 0.0F},
                                      ValueRange{0.0F, kLargest}}) {
        const CodeScale by = scale_of(range, 1.0, limits, has_zero_point);
        EXPECT_TRUE(std::isnormal(by.scale)) << range.low << " to " << range.high;
        EXPECT_GT(by.scale, 0.0F);
        EXPECT_GE(by.zero_point, limits.least);
        EXPECT_LE(by.zero_point, limits.most);
        EXPECT_TRUE(std::isfinite((limits.least - by.zero_point) * by.scale));
        EXPECT_TRUE(std::isfinite((limits.most - by.zero_point) * by.scale))
            << range.low << " to " << range.high << ", " << bits << " bits";
      }
    }
  }
}

/// The code that the formula gives, one value at a time.
float plain_code(float value, const CodeScale& by, const CodeLimits& limits) {
  return std::clamp(
      std::nearbyint(value / by.scale) + by.zero_point, limits.least, limits.most);
}

TEST(Encode, IsThePlainFormula) {
  for (const int bits : {4, 8}) {
    const CodeLimits limits = code_limits(bits);
    for (const CodeScale& by : {CodeScale{0.001F, 0.0F}, CodeScale{0.0005F, 3.0F}}) {
      for (const std::size_t count : {0U, 1U, 3U, 15U, 16U, 17U, 1000U}) {
        std::vector<float> values = some_values(count);
        if (count > 2) {
          values[0] = 2.5F * by.scale;  // a tie: to even
          values[1] = kLargest;
          values[2] = -kLargest;
        }
        std::vector<int8_t> codes(count + 1, 99);
        encode(values.data(), static_cast<int64_t>(count), by, limits, codes.data());
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(static_cast<float>(codes[i]), plain_code(values[i], by, limits))
              << values[i] << " of " << count;
        }
        EXPECT_EQ(codes[count], 99);
      }
    }
  }
}

TEST(SquaredError, IsThePlainSum) {
  const CodeLimits limits = code_limits(8);
  const CodeScale by{0.0003F, -40.0F};
  for (const std::size_t count : {0U, 1U, 15U, 16U, 17U, 4095U, 4096U, 4097U, 20000U}) {
    const std::vector<float> values = some_values(count);
    double expected = 0.0;
    for (const float value : values) {
      const double code = plain_code(value, by, limits);
      const double error = (code - by.zero_point) * double{by.scale} - value;
      expected += error * error;
    }
    const double error =
        squared_error(values.data(), static_cast<int64_t>(count), by, limits);
    // Errors are differences of floats near 127 steps, which have 2^-18 of a step.
    EXPECT_NEAR(error, expected, 1e-4 * expected) << count;
  }
}

TEST(SquaredError, IsFiniteAndAboveZeroOverTheWholeRangeOfFloats) {
  const CodeLimits limits = code_limits(8);
  for (const float size : {1e-42F, 1e-38F, 1e38F}) {
    const std::vector<float> values(64, size);
    const CodeScale by = scale_of(range_of_all(values), 0.5, limits, false);
    const double error = squared_error(values.data(), 64, by, limits);
    EXPECT_TRUE(std::isfinite(error)) << size;
    EXPECT_GT(error, 0.0) << size;
  }
}

}  // namespace
}  // namespace sizewise::quantizers

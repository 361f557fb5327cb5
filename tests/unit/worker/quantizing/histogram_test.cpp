#include "quantizing/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise::quantizing {
namespace {

using ::testing::IsEmpty;

constexpr float kLargestFloat = std::numeric_limits<float>::max();
constexpr float kSmallestFloat = std::numeric_limits<float>::denorm_min();

std::vector<HistogramBin> bins_of(const std::vector<float>& values) {
  Histogram histogram;
  histogram.add(values);
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  return histogram.bins(*least, *largest);
}

/// How many of the values lie in a bin; its upper bound belongs to the next one.
uint64_t count_in(const HistogramBin& bin, const std::vector<float>& values) {
  const bool negative = bin.lower < 0.0;
  return static_cast<uint64_t>(
      std::count_if(values.begin(), values.end(), [&](double value) {
        return negative ? value > bin.lower && value <= bin.upper
                        : value >= bin.lower && value < bin.upper;
      }));
}

TEST(Histogram, IsEmptyWithoutValues) {
  EXPECT_THAT(Histogram().bins(0.0, 0.0), IsEmpty());
}

TEST(Histogram, CountsEveryValueInABinOfAFiveHundredthOfIt) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(20'000);
  for (float& value : values) {
    value = normal(random) * std::exp(5.0F * normal(random));
  }
  // The outermost bins end at the extremes, which belong to them.
  values.insert(values.end(), {-1e9F, 1e9F});
  const std::vector<HistogramBin> bins = bins_of(values);
  uint64_t count = 0;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    count += bins[i].count;
    if (i > 0 && i + 1 < bins.size()) {
      ASSERT_EQ(bins[i].count, count_in(bins[i], values));
      ASSERT_LE(bins[i - 1].upper, bins[i].lower);
      ASSERT_LE(bins[i].upper - bins[i].lower,
                std::max(std::abs(bins[i].lower), std::abs(bins[i].upper)) / 512.0);
    }
  }
  EXPECT_EQ(count, values.size());
  EXPECT_EQ(bins.front().lower, -1e9F);
  EXPECT_EQ(bins.back().upper, 1e9F);
}

TEST(Histogram, HoldsTheFarthestFloats) {
  const std::vector<HistogramBin> bins =
      bins_of({-kLargestFloat, -kSmallestFloat, 0.0F, kSmallestFloat, kLargestFloat});
  ASSERT_EQ(bins.size(), 4);  // 0 shares one with the smallest
  EXPECT_EQ(bins[0].lower, -kLargestFloat);
  EXPECT_EQ(bins[1].lower, -std::ldexp(1.0, -135));
  EXPECT_EQ(bins[1].upper, 0.0);
  EXPECT_EQ(bins[2].count, 2);
  EXPECT_EQ(bins[3].upper, kLargestFloat);
}

TEST(Histogram, EndsWhereTheValuesEnd) {
  const std::vector<HistogramBin> bins = bins_of({1.0F, 1.001F});
  ASSERT_EQ(bins.size(), 1);
  EXPECT_EQ(bins[0].lower, 1.0F);
  EXPECT_EQ(bins[0].upper, 1.001F);
  EXPECT_EQ(bins[0].count, 2);
}

}  // namespace
}  // namespace sizewise::quantizing

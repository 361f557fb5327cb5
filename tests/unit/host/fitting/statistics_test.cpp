#include "fitting/statistics.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace sizewise::fitting {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 1.0), 4.0);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.3), 7.0);
}

TEST(Quantile, KeepsInfinities) {
  EXPECT_EQ(quantile({1, kInfinite}, 0.9), kInfinite);
  EXPECT_EQ(quantile({1, kInfinite}, 0.0), 1.0);
  EXPECT_EQ(quantile({-kInfinite, 1}, 0.0), -kInfinite);
  EXPECT_EQ(quantile({-kInfinite, 1}, 0.1), -kInfinite);
}

TEST(Quantile, LeavesOutWhatIsNoNumber) {
  EXPECT_DOUBLE_EQ(quantile({kNan, 3, kNan, 1, 2, kNan}, 0.5), 2.0);
  EXPECT_TRUE(std::isnan(quantile({kNan, kNan}, 0.5)));
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(RangeOf, LeavesOutWhatIsNoNumber) {
  const Interval range = range_of(std::vector{kNan, 3.0, kNan, -1.0, 2.0, kNan});
  EXPECT_EQ(range.low, -1.0);
  EXPECT_EQ(range.high, 3.0);
  EXPECT_TRUE(std::isnan(range_of({}).low));
  EXPECT_TRUE(std::isnan(range_of(std::vector{kNan}).high));
}

TEST(PercentileInterval, LeavesEqualTailsOutside) {
  std::vector<double> numbers;
  for (int i = 0; i <= 1000; ++i) {
    numbers.push_back(1000 - i);
  }
  const Interval interval = percentile_interval(numbers, 0.9);
  EXPECT_DOUBLE_EQ(interval.low, 50);
  EXPECT_DOUBLE_EQ(interval.high, 950);
}

TEST(BiasCorrectedInterval, MovesAwayFromTheSideWhereMoreDrawsLie) {
  std::vector<double> draws;
  for (int i = 0; i <= 1000; ++i) {
    draws.push_back(i);
  }
  const Interval even = bias_corrected_interval(draws, 500, 0.9);
  EXPECT_NEAR(even.low, 50, 1e-9);
  EXPECT_NEAR(even.high, 950, 1e-9);
  // 40 % of the draws lie below: z0 = -0.2533, and the ends are Phi(2 z0 -+ 1.6449).
  const Interval moved = bias_corrected_interval(draws, 400, 0.9);
  EXPECT_NEAR(moved.low, 15.7, 1.0);
  EXPECT_NEAR(moved.high, 872.5, 1.0);
}

TEST(BiasCorrectedInterval, HoldsTheEstimateAndIsPlainWithoutOne) {
  const std::vector<double> draws = {1, 2, 3, 4, 5, kNan};
  EXPECT_EQ(bias_corrected_interval(draws, 9, 0.95).high, 9);
  EXPECT_GT(bias_corrected_interval(draws, 9, 0.95).low, 1.5) << "one deviation";
  EXPECT_EQ(bias_corrected_interval(draws, -1, 0.95).low, -1);
  EXPECT_EQ(bias_corrected_interval(draws, kNan, 0.5).low, 2);
  EXPECT_TRUE(std::isnan(bias_corrected_interval({}, 1, 0.95).low));
}

TEST(StandardDeviation, IsTheRootMeanSquare) {
  EXPECT_DOUBLE_EQ(standard_deviation({1e9 + 1, 1e9 + 3, kNan}), 1.0);
  EXPECT_EQ(standard_deviation({1, kInfinite}), kInfinite);
  EXPECT_TRUE(std::isnan(standard_deviation({kNan})));
}

TEST(Distributions, MeetTheirTables) {
  EXPECT_NEAR(normal_half_width(0.95), 1.959963984540054, 1e-12);
  EXPECT_NEAR(chi_squared_quantile(0.95), 3.841458820694124, 1e-12);
  EXPECT_NEAR(chi_squared_quantile(0.6826894921370859), 1.0, 1e-12);
}

TEST(Interval, KnowsWhatItHolds) {
  EXPECT_TRUE((Interval{1, 2}.contains(2)));
  EXPECT_FALSE((Interval{1, 2}.contains(2.1)));
  EXPECT_TRUE((Interval{1, 2}.overlaps({2, 3})));
  EXPECT_TRUE((Interval{1, kInfinite}.overlaps({5, 6})));
  EXPECT_FALSE((Interval{1, 2}.overlaps({2.1, 3})));
  EXPECT_FALSE(Interval{}.contains(0));
}

}  // namespace
}  // namespace sizewise::fitting

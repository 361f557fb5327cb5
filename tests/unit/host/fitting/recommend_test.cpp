#include "fitting/recommend.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"
#include "settings.hpp"

namespace sizewise::fitting {
namespace {

using sizewise::testing::made_up_data;
using sizewise::testing::MadeUpOracle;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const SizeSpec kSizes{"width", "", 8, 512, 8};
constexpr double kLargest = 1e6;

/// The model for a budget whose best size has so many parameters, of sizes that have 100
/// parameters each.
Recommendation recommended(double params,
                           double flops,
                           const DatasetInfo& data = made_up_data(),
                           double largest = kLargest) {
  FitReport report = testing::fit_table(testing::table(), testing::request());
  Optimum optimum = report.optima.at(0);
  optimum.budget = Flops(flops);
  optimum.params = Parameters(params);
  optimum.params_interval = Interval{0.5 * params, 2.0 * params};
  optimum.extrapolation = 0.5;
  MadeUpOracle oracle;
  return recommend(report, optimum, oracle, kSizes, data, Parameters(largest));
}

TEST(Recommend, NamesTheNearestSizeAndWholeSamplesThatTheBudgetPaysFor) {
  const Recommendation made = recommended(6500, 6.0 * 6400 * 1000);
  EXPECT_EQ(made.size, 64);
  EXPECT_EQ(made.params.value(), 6400);
  EXPECT_EQ(made.tokens.value(), 1008) << "63 samples of 16 tokens are nearest to 1000";
  EXPECT_EQ(made.params_low.value(), 3250);
  EXPECT_EQ(made.params_high.value(), 13000);
  EXPECT_EQ(recommended(6500, 1.0).tokens.value(), 16) << "never less than a sample";
}

TEST(Recommend, CountsInTheUnitOfTheData) {
  EXPECT_EQ(recommended(6500, 1e9).unit, "token");
  EXPECT_THAT(recommended(6500, 1e9).reason, HasSubstr("pays for 2.605e+04 tokens"));
  DatasetInfo images = made_up_data();
  images.unit = "example";
  images.units_per_sample = 1;
  EXPECT_EQ(recommended(6500, 1e9, images).unit, "example");
  EXPECT_THAT(recommended(6500, 1e9, images).reason, HasSubstr(" examples"));
}

TEST(Recommend, SaysWhereTheBestSizeLiesBeyondTheModels) {
  EXPECT_THAT(recommended(6500, 1e9).reason, Not(HasSubstr("beyond")));
  EXPECT_THAT(recommended(1e5, 1e12).reason,
              AllOf(HasSubstr("the largest width that the model has (51200 parameters)"),
                    HasSubstr("let the model have larger sizes, or spend a smaller")));
  EXPECT_THAT(recommended(100, 1e9).reason,
              AllOf(HasSubstr("the smallest width"), HasSubstr("spend a larger budget")));
}

TEST(Recommend, SaysWhereTheCostIsNotCounted) {
  EXPECT_THAT(recommended(6500, 1e9).reason, HasSubstr("as counted"));
  EXPECT_THAT(recommended(6500, 1e9, made_up_data(), 1000).reason,
              HasSubstr("too large to count here"));
}

}  // namespace
}  // namespace sizewise::fitting

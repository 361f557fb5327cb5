#include "sizewise/cost_model.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

double cost(const CostModel& model, double params) {
  return model.flops_per_unit(Parameters(params));
}

TEST(CostModel, SixPerParameterIsExact) {
  const CostModel model = CostModel::six_per_parameter();
  EXPECT_FALSE(model.is_counted());
  EXPECT_EQ(model.name(), "6nd");
  EXPECT_NEAR(cost(model, 7e9) / 42e9, 1.0, 1e-14);
  EXPECT_NEAR(model.units_for(Flops(6e20), Parameters(1e9)).value(), 1e11, 1e-3);
}

TEST(CostModel, MeetsEveryCountedSizeAndInterpolatesInLogarithms) {
  const CostModel model = CostModel::counted({{100, 900}, {10, 80}, {1000, 7000}});
  EXPECT_EQ(model.name(), "counted");
  EXPECT_NEAR(cost(model, 10), 80, 1e-11);
  EXPECT_NEAR(cost(model, 100), 900, 1e-10);
  EXPECT_NEAR(cost(model, 1000), 7000, 1e-9);
  EXPECT_NEAR(cost(model, std::sqrt(1000.0)), std::sqrt(80.0 * 900.0), 1e-10);
}

TEST(CostModel, KeepsTheSlopeOfTheLastFactorOfTwoBeyondItsEnds) {
  // 100 and 101 differ by rounding alone; the slope beyond them must not follow that.
  const CostModel model =
      CostModel::counted({{25, 150}, {50, 300}, {100, 600}, {101, 590}});
  EXPECT_NEAR(cost(model, 202) / cost(model, 101),
              std::pow(2.0, std::log(590.0 / 300.0) / std::log(101.0 / 50.0)),
              1e-10);
  EXPECT_NEAR(cost(model, 5), 30, 1e-10);
}

TEST(CostModel, ScalesWithParametersWhereOneSizeIsKnown) {
  EXPECT_NEAR(cost(CostModel::counted({{100, 700}}), 300), 2100, 1e-9);
}

TEST(CostModel, RefusesWhatIsNoCost) {
  EXPECT_THROW((void)CostModel::counted({}), Error);
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW((void)CostModel::counted({{bad, 1}}), Error);
    EXPECT_THROW((void)CostModel::counted({{1, bad}}), Error);
  }
}

TEST(CostModelOf, CountsFromFlopsAndAveragesEqualSizes) {
  RunTable runs;
  runs.add_numbers("params", {10, 10, 20, 40});
  runs.add_numbers("tokens", {2, 2, 3, 1});
  runs.add_numbers("flops", {100, 400, 600, std::numeric_limits<double>::quiet_NaN()});
  const CostModel model = cost_model_of(runs);
  ASSERT_EQ(model.points().size(), 2U);
  EXPECT_NEAR(model.points()[0].flops_per_unit, 100, 1e-10);
  EXPECT_NEAR(model.points()[1].flops_per_unit, 200, 1e-10);
}

TEST(CostModelOf, ThinsManySizes) {
  std::vector<double> params;
  std::vector<double> flops;
  for (int i = 0; i < 5000; ++i) {
    params.push_back(1e6 * std::pow(1.001, i));
    flops.push_back(7.0 * params.back());
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", std::vector<double>(params.size(), 1.0));
  runs.add_numbers("flops", flops);
  const CostModel model = cost_model_of(runs);
  EXPECT_LE(model.points().size(), 257U);
  EXPECT_NEAR(cost(model, 3e6) / 21e6, 1.0, 1e-9);
}

TEST(CostModelOf, FallsBackWithoutFlops) {
  RunTable runs;
  runs.add_numbers("params", {10});
  runs.add_numbers("tokens", {2});
  EXPECT_FALSE(cost_model_of(runs).is_counted());
  runs.add_numbers("flops", {std::numeric_limits<double>::quiet_NaN()});
  EXPECT_FALSE(cost_model_of(runs).is_counted());
}

}  // namespace
}  // namespace sizewise

#include "fitting/hold_out.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// Four budgets of five rows; the loss falls by 0.1 a budget.
RunTable four_budgets(std::size_t budgets = 4) {
  RunTable runs;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  std::vector<double> flops;
  for (std::size_t budget = 0; budget < budgets; ++budget) {
    for (int size = 0; size < 5; ++size) {
      params.push_back(1e6 * std::pow(2.0, size) * std::pow(3.0, budget));
      flops.push_back(1e15 * std::pow(10.0, budget));
      tokens.push_back(flops.back() / (6.0 * params.back()));
      loss.push_back(3.0 - 0.1 * static_cast<double>(budget));
    }
  }
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  runs.add_numbers("budget_flops", flops);
  return runs;
}

TEST(HoldOut, PredictsTheLargestBudgetFromTheOthers) {
  const FitReport report = testing::fit_table(four_budgets(), testing::request());
  ASSERT_TRUE(report.hold_out.has_value());
  EXPECT_EQ(report.hold_out->held, 5U);
  EXPECT_EQ(report.hold_out->fitted, 15U);
  EXPECT_EQ(report.hold_out->budget.value(), 1e18);
  EXPECT_EQ(report.hold_out->rows_held, "flops>=1e+18");
  EXPECT_NEAR(report.hold_out->result.law.value("E"), 2.9, 1e-12);
  // The law adds 400 / N^0.3 + 400 / D^0.3 to its E; the losses held out are 2.7.
  double bias = 0.0;
  const RunTable runs = four_budgets();
  for (std::size_t row = 15; row < 20; ++row) {
    bias += 2.9 + 400.0 / std::pow(runs.params()[row], 0.3) +
            400.0 / std::pow(runs.tokens()[row], 0.3) - 2.7;
  }
  EXPECT_NEAR(report.hold_out->bias, bias / 5.0, 1e-12);
  EXPECT_NEAR(report.hold_out->mean_absolute_error, bias / 5.0, 1e-12);
  EXPECT_NEAR(
      report.hold_out->params.value(), report.hold_out->params_of_all.value(), 1.0);
}

TEST(HoldOut, NeedsFourBudgets) {
  EXPECT_FALSE(
      testing::fit_table(four_budgets(3), testing::request()).hold_out.has_value());
}

TEST(HoldOut, TakesTheRowsThatAreNamed) {
  FitRequest asked = testing::request();
  asked.hold_out = {tables::parse_row_filter("budget_flops>=1e17")};
  const FitReport report = testing::fit_table(four_budgets(), asked);
  ASSERT_TRUE(report.hold_out.has_value());
  EXPECT_EQ(report.hold_out->held, 10U);
  EXPECT_EQ(report.rows.used, 10U);
  EXPECT_NEAR(report.result.law.value("E"), 2.95, 1e-12) << "they are not fitted";
}

TEST(HoldOut, GathersRowsThatStopAtAnyBudget) {
  RunTable runs = testing::table();
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    flops.push_back(1e15 * std::pow(1.5, static_cast<double>(row)));
  }
  runs.add_numbers("flops", flops);
  const FitReport report = testing::fit_table(runs, testing::request());
  ASSERT_TRUE(report.hold_out.has_value());
  EXPECT_EQ(report.hold_out->held, 3U);
}

}  // namespace
}  // namespace sizewise::fitting

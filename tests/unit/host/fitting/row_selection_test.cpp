#include "fitting/row_selection.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST(SelectRows, HoldsOutTheRowsThatSatisfyAllConditions) {
  FitRequest asked;
  asked.hold_out = {tables::parse_row_filter("params>8e6"),
                    tables::parse_row_filter("tokens<2e8")};
  const RowSelection selection = select_rows(testing::table(), asked);
  EXPECT_THAT(selection.held_out, ElementsAre(4));
  EXPECT_EQ(selection.used.size(), 19U);
  ASSERT_EQ(selection.counts.excluded.size(), 1U);
  EXPECT_EQ(selection.counts.excluded[0].reason, "held out: params>8e6 and tokens<2e8");
}

TEST(SelectRows, RefusesATableWithoutOneUsableRow) {
  RunTable runs = testing::table();
  runs.add_texts("status", std::vector<std::string>(runs.rows(), "failed"));
  FitRequest asked;
  asked.source = "runs.csv";
  try {
    (void)select_rows(runs, asked);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(
        error.message(),
        HasSubstr("runs.csv: none of 20 rows can be used: 20 (status is failed)"));
  }
  EXPECT_THROW((void)select_rows(RunTable(), asked), Error);
}

TEST(FlopsOfRows, TakesTheBudgetThenWhatWasCountedThenSixNd) {
  RunTable runs;
  runs.add_numbers("params", {10, 10, 10, kMissing});
  runs.add_numbers("tokens", {2, 2, 2, 2});
  runs.add_numbers("flops", {150, 150, kMissing, kMissing});
  runs.add_numbers("budget_flops", {140, kMissing, 0, kMissing});
  const std::vector<double> flops = flops_of_rows(runs);
  EXPECT_EQ(flops[0], 140);
  EXPECT_EQ(flops[1], 150);
  EXPECT_EQ(flops[2], 120);
  EXPECT_TRUE(std::isnan(flops[3]));
}

TEST(CountBudgets, TakesFlopsThatDifferByATenthAsOne) {
  const std::vector<double> flops = {1000, 105, 130, 100, kMissing};
  EXPECT_EQ(count_budgets(flops, 9), 3U);
  EXPECT_EQ(count_budgets(flops, 2), 2U);
  EXPECT_EQ(count_budgets({kMissing, kMissing}, 9), 0U);
}

TEST(LeastOfLargestBudget, GathersAsManyRowsAsAreAsked) {
  const std::vector<double> flops = {10, 95, kMissing, 100, 50, 48, 20};
  EXPECT_EQ(least_of_largest_budget(flops, 1), 95);
  EXPECT_EQ(least_of_largest_budget(flops, 3), 48);
  EXPECT_EQ(least_of_largest_budget(flops, 99), 10);
  EXPECT_TRUE(std::isnan(least_of_largest_budget({kMissing}, 1)));
}

TEST(LineOf, CountsRowsWhereThereIsNoFile) {
  FitRequest asked;
  EXPECT_EQ(line_of(asked, 3), 4U);
  asked.lines = {2, 3, 5};
  EXPECT_EQ(line_of(asked, 2), 5U);
}

}  // namespace
}  // namespace sizewise::fitting

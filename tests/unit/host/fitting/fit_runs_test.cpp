#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using testing::codes;
using ::testing::Contains;
using testing::fit_table;
using ::testing::HasSubstr;
using testing::request;
using testing::table;

TEST(FitRuns, CountsTheRowsThatItLeavesOut) {
  RunTable runs = table();
  std::vector<std::string> status(runs.rows(), "done");
  status[0] = "diverged";
  status[1] = "pilot";
  status[2] = "";
  runs.add_texts("status", status);
  FitRequest asked = request();
  asked.filters = {tables::parse_row_filter("loss<2.18")};
  const FitReport report = fit_table(runs, asked);
  EXPECT_EQ(report.rows.read, 20U);
  EXPECT_EQ(report.rows.used, 16U);
  ASSERT_EQ(report.rows.excluded.size(), 3U);
  EXPECT_EQ(report.rows.excluded[0].reason, "not loss<2.18");
  EXPECT_EQ(report.rows.excluded[0].count, 2U);
  EXPECT_EQ(report.rows.excluded[1].reason, "status is diverged");
}

TEST(FitRuns, NamesTheOptimumAndHowFarItIs) {
  const FitReport report = fit_table(table(), request());
  ASSERT_TRUE(report.identified());
  ASSERT_EQ(report.optima.size(), 1U);
  const double largest = 6.0 * 16e6 * 27e8;
  EXPECT_NEAR(report.largest_flops / largest, 1.0, 1e-12);
  EXPECT_NEAR(report.optima[0].extrapolation / (1e18 / largest), 1.0, 1e-12);
  EXPECT_NEAR(report.optima[0].params.value(), std::sqrt(1e18 / 6.0), 1.0);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("6 * params * tokens")));
}

TEST(FitRuns, SaysInWhichLineABadValueStands) {
  RunTable runs;
  runs.add_numbers("params", {1e6, 1e7});
  runs.add_numbers("tokens", {1e8, 1e8});
  runs.add_numbers("loss", {2.0, std::numeric_limits<double>::quiet_NaN()});
  FitRequest asked = request();
  asked.source = "runs.csv";
  asked.lines = {2, 5};
  try {
    (void)fit_table(runs, asked);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("runs.csv, line 5"), HasSubstr("column 'loss'")));
  }
}

TEST(FitRuns, RefusesRequestsOutOfRange) {
  for (const auto& spoil : std::vector<void (*)(FitRequest&)>{
           [](FitRequest& asked) {
             asked.bootstrap = -1;
           },
           [](FitRequest& asked) {
             asked.level = 1.0;
           },
           [](FitRequest& asked) {
             asked.threads = 0;
           },
           [](FitRequest& asked) {
             asked.asked.questions = {{Question::Kind::kBudget, 0.0}};
           }}) {
    FitRequest asked = request();
    spoil(asked);
    EXPECT_THROW((void)fit_table(table(), asked), Error);
  }
}

TEST(FitRuns, DoesNotIdentifyNarrowOrFewRows) {
  FitRequest asked = request();
  asked.filters = {tables::parse_row_filter("params<1e7")};
  EXPECT_THAT(codes(fit_table(table(), asked)), Contains("narrow_params"));
  RunTable runs = table();
  std::vector<double> budgets(runs.rows(), 1e15);
  budgets[0] = 1e16;
  runs.add_numbers("budget_flops", budgets);
  const FitReport report = fit_table(runs, request());
  EXPECT_THAT(codes(report), Contains("few_budgets"));
  EXPECT_TRUE(report.optima.empty());
  FitRequest forced = request();
  forced.force = true;
  EXPECT_EQ(fit_table(runs, forced).optima.size(), 1U);
  EXPECT_FALSE(fit_table(runs, forced).identified());
}

}  // namespace
}  // namespace sizewise::fitting

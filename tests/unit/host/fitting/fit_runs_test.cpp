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

/// Tells no standard errors.
class ErrorlessFit : public testing::MeanFit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    result.parameters.clear();
    result.covariance.clear();
    return result;
  }
};

RunTable with_run_ids(int rows_a_run) {
  RunTable runs = table();
  std::vector<std::string> ids;
  for (int row = 0; row < static_cast<int>(runs.rows()); ++row) {
    ids.push_back("run" + std::to_string(row / rows_a_run));
  }
  runs.add_texts("run_id", ids);
  return runs;
}

int replicates_of(const RunTable& runs, const Fit& fit, const FitRequest& asked) {
  const FitReport report = fit_runs(runs, asked, fit, cost_model_of(runs));
  return report.bootstrap ? report.bootstrap->replicates : 0;
}

TEST(FitRuns, ResamplesUnaskedOnlyWhereTheIntervalsNeedIt) {
  FitRequest asked = request();
  asked.bootstrap_where_needed = true;
  const testing::MeanFit with_errors;
  const ErrorlessFit without_errors;
  EXPECT_EQ(replicates_of(table(), with_errors, asked), 0);
  EXPECT_EQ(replicates_of(table(), without_errors, asked), 200);
  EXPECT_EQ(replicates_of(with_run_ids(1), with_errors, asked), 0);
  EXPECT_EQ(replicates_of(with_run_ids(5), with_errors, asked), 200);
  asked.bootstrap = 7;
  EXPECT_EQ(replicates_of(table(), with_errors, asked), 7);
  EXPECT_EQ(replicates_of(with_run_ids(5), without_errors, asked), 7);
}

TEST(FitRuns, SaysWhatResamplesWouldMendWhereNoneAreDrawn) {
  const FitRequest asked = request();
  EXPECT_THAT(fit_table(with_run_ids(5), asked).warnings,
              Contains(HasSubstr("--bootstrap N draws whole runs")));
  EXPECT_THAT(fit_table(with_run_ids(1), asked).warnings,
              ::testing::Not(Contains(HasSubstr("--bootstrap"))));
  const RunTable runs = table();
  const FitReport report = fit_runs(runs, asked, ErrorlessFit(), cost_model_of(runs));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("this fit tells no standard errors")));
}

TEST(FitRuns, DoesNotResampleAHugeTableUnasked) {
  constexpr std::size_t kRows = 20'001;
  RunTable runs;
  std::vector<double> params;
  std::vector<double> tokens;
  for (std::size_t row = 0; row < kRows; ++row) {
    params.push_back(1e6 * static_cast<double>(1 + row % 50));
    tokens.push_back(1e8 * static_cast<double>(1 + row % 7));
  }
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", std::vector<double>(kRows, 2.0));
  FitRequest asked = request();
  asked.bootstrap_where_needed = true;
  EXPECT_EQ(replicates_of(runs, ErrorlessFit(), asked), 0);
  asked.bootstrap = 2;
  EXPECT_EQ(replicates_of(runs, ErrorlessFit(), asked), 2);
}

}  // namespace
}  // namespace sizewise::fitting

#include "fitting/bootstrap.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fit_fixture.hpp"
#include "fitting/fit_report_json.hpp"

namespace sizewise::fitting {
namespace {

using testing::codes;
using ::testing::Contains;
using testing::fit_table;
using testing::MeanFit;
using testing::request;
using testing::table;

TEST(Bootstrap, MeetsTheStandardErrorOfAMean) {
  FitRequest asked = request();
  asked.bootstrap = 4000;
  const FitReport report = fit_table(table(), asked);
  ASSERT_TRUE(report.bootstrap.has_value());
  EXPECT_EQ(report.bootstrap->unit, "row");
  EXPECT_EQ(report.bootstrap->failed, 0);
  // The loss is 2 + 0.01 i: variance 0.01^2 (20^2 - 1) / 12, and 1/20 of it for the mean.
  const double error = 0.01 * std::sqrt(399.0 / 12.0 / 20.0);
  EXPECT_NEAR(report.bootstrap->standard_error.at("E") / error, 1.0, 0.05);
  const Interval interval = report.bootstrap->interval.at("E");
  EXPECT_NEAR(interval.high - interval.low, 2.0 * 1.96 * error, 0.1 * error * 3.92);
  EXPECT_TRUE(report.optima[0].params_interval.has_value());
}

TEST(Bootstrap, GivesTheSameForOneSeedHoweverManyThreads) {
  FitRequest asked = request();
  asked.bootstrap = 50;
  asked.seed = 7;
  const FitReport one = fit_table(table(), asked);
  asked.threads = 4;
  const FitReport four = fit_table(table(), asked);
  EXPECT_EQ(fit_report_to_json(one), fit_report_to_json(four));
  asked.seed = 8;
  EXPECT_NE(fit_table(table(), asked).bootstrap->standard_error.at("E"),
            one.bootstrap->standard_error.at("E"));
}

TEST(Bootstrap, DrawsWholeRunsWhereRunIdsRepeat) {
  RunTable runs = table();
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back("run" + std::to_string(i / 5));
  }
  runs.add_texts("run_id", ids);
  FitRequest asked = request();
  asked.bootstrap = 2000;
  const FitReport report = fit_table(runs, asked);
  EXPECT_EQ(report.bootstrap->unit, "run_id");
  // Means of the 4 runs lie 0.05 apart: variance 0.05^2 (4^2 - 1) / 12, over 4 draws.
  const double error = 0.05 * std::sqrt(15.0 / 12.0 / 4.0);
  EXPECT_NEAR(report.bootstrap->standard_error.at("E") / error, 1.0, 0.06);
}

TEST(Bootstrap, RowsWithoutARunIdStandAlone) {
  RunTable runs = table();
  runs.add_texts("run_id", std::vector<std::string>(20));
  FitRequest asked = request();
  asked.bootstrap = 10;
  EXPECT_EQ(fit_table(runs, asked).bootstrap->unit, "row");
}

/// Gives no law, or one that is not identified, where the first row was not drawn.
class PickyFit : public MeanFit {
 public:
  explicit PickyFit(bool fails) : fails_(fails) {}
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    if (!input.weights.empty() && input.weights[0] == 0.0) {
      if (fails_) {
        throw Error(ErrorCode::kFit, "no law");
      }
      result.status = FitStatus::kNotIdentified;
    }
    return result;
  }

 private:
  bool fails_;
};

TEST(Bootstrap, CountsWhatFailsAndJudgesBySuchResamples) {
  FitRequest asked = request();
  asked.bootstrap = 400;
  const RunTable runs = table();
  // A row is in no resample of 20 with probability (19/20)^20 = 0.36.
  const FitReport failing = fit_runs(runs, asked, PickyFit(true), cost_model_of(runs));
  EXPECT_NEAR(failing.bootstrap->failed, 143, 40);
  EXPECT_THAT(codes(failing), Contains("unstable_bootstrap"));
  EXPECT_FALSE(failing.identified());
  const FitReport other = fit_runs(runs, asked, PickyFit(false), cost_model_of(runs));
  EXPECT_EQ(other.bootstrap->failed, 0);
  EXPECT_EQ(other.bootstrap->not_identified, failing.bootstrap->failed);
  EXPECT_FALSE(other.identified());
}

}  // namespace
}  // namespace sizewise::fitting

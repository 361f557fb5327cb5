#include "fitting/data_checks.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<double> times_params(const RunTable& runs, double from, double to) {
  std::vector<double> values;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double share = static_cast<double>(row) / static_cast<double>(runs.rows() - 1);
    values.push_back(runs.params()[row] * std::lerp(from, to, share));
  }
  return values;
}

TEST(DescribeData, LeavesOutRowsWithoutNumbers) {
  RunTable runs;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  runs.add_numbers("params", {nan, 1e6, 2e6, 1e6});
  runs.add_numbers("tokens", {1e8, 1e7, nan, 4e7});
  FitReport report;
  describe_data(runs, report);
  EXPECT_EQ(report.params_seen.low, 1e6);
  EXPECT_EQ(report.params_seen.high, 2e6);
  EXPECT_EQ(report.ratio_seen.low, 10);
  EXPECT_EQ(report.ratio_seen.high, 40);
  EXPECT_NEAR(report.largest_flops / 2.4e14, 1.0, 1e-12);
}

TEST(WarnOfData, SaysWhereCountsOfParametersPartWays) {
  RunTable runs = testing::table();
  runs.add_numbers("params_novocab", times_params(runs, 0.3, 0.9));
  runs.add_numbers("params_half", times_params(runs, 0.5, 0.5));
  FitReport report;
  warn_of_data(runs, report);
  EXPECT_THAT(report.warnings,
              Contains(HasSubstr("'params_novocab' is 0.3 to 0.9 of params")));
  EXPECT_THAT(report.warnings, Not(Contains(HasSubstr("params_half"))))
      << "a constant share changes no exponent";
}

TEST(WarnOfData, SaysWhereFlopsAreNotSixNd) {
  for (const auto& [factor, warns] : {std::pair(6.1, false), std::pair(6.2, true)}) {
    RunTable runs = testing::table();
    std::vector<double> flops;
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      flops.push_back(factor * runs.params()[row] * runs.tokens()[row]);
    }
    runs.add_numbers("flops", flops);
    FitReport report;
    warn_of_data(runs, report);
    EXPECT_EQ(!report.warnings.empty(), warns) << factor;
  }
}

TEST(WarnOfData, CountsLongWarmups) {
  RunTable runs = testing::table();
  std::vector<double> warmup;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    warmup.push_back(runs.tokens()[row] * (row < 4 ? 0.25 : 0.05));
  }
  runs.add_numbers("warmup_tokens", warmup);
  FitReport report;
  warn_of_data(runs, report);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("4 rows have a warm-up")));
}

std::vector<std::string> warnings_of_texts(const char* column,
                                           const std::vector<std::string>& names,
                                           bool has_run_id = false) {
  RunTable runs = testing::table();
  std::vector<std::string> texts;
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    texts.push_back(names[row % names.size()]);
    ids.push_back(std::to_string(row));
  }
  runs.add_texts(column, texts);
  if (has_run_id) {
    runs.add_texts("run_id", ids);
  }
  FitReport report;
  warn_of_data(runs, report);
  return report.warnings;
}

TEST(WarnOfData, CountsExperimentsThatAreTakenAsOne) {
  EXPECT_THAT(warnings_of_texts("experiment", {"old", "new", "newest"}),
              ElementsAre(AllOf(HasSubstr("of 3 experiments"),
                                HasSubstr("--where experiment=NAME"))));
  EXPECT_THAT(warnings_of_texts("experiment", {"one"}), IsEmpty());
}

TEST(WarnOfData, SaysWhereRowsOfOneRunShareItsName) {
  EXPECT_THAT(warnings_of_texts("run_name", {"a", "b"}),
              ElementsAre(HasSubstr("--columns run_id=run_name")));
  EXPECT_THAT(warnings_of_texts("run_name", {"a", "b"}, true), IsEmpty());
  std::vector<std::string> names;
  for (std::size_t row = 0; row < testing::table().rows(); ++row) {
    names.push_back("run" + std::to_string(row));
  }
  EXPECT_THAT(warnings_of_texts("run_name", names), IsEmpty());
}

TEST(WarnOfOptima, SaysWhatIsFarFromTheData) {
  FitRequest asked = testing::request();
  asked.asked.questions = budget_questions({Flops(1e25), Flops(1e-3)});
  asked.asked.questions.push_back({Question::Kind::kTargetLoss, 2.0});
  const FitReport report = testing::fit_table(testing::table(), asked);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("far beyond the data")));
  EXPECT_THAT(report.warnings,
              Contains(HasSubstr("0.001 is less than one parameter or one unit")));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("no budget reaches a loss of 2")));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("units per parameter")));
}

TEST(WarnOfData, SaysWhereRunsAreFew) {
  for (const auto& [count, warning] : {std::pair(1, "all rows are of one run"),
                                       std::pair(4, "the rows are of 4 runs"),
                                       std::pair(10, ""),
                                       std::pair(20, "")}) {
    RunTable runs = testing::table();
    std::vector<std::string> ids;
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      ids.push_back(std::to_string(row % static_cast<std::size_t>(count)));
    }
    runs.add_texts("run_id", ids);
    FitReport report;
    warn_of_data(runs, report);
    EXPECT_THAT(report.warnings,
                *warning == 0 ? Not(Contains(HasSubstr("run")))
                              : ::testing::Matcher<std::vector<std::string>>(
                                    Contains(HasSubstr(warning))))
        << count;
  }
}

TEST(WarnOfData, TakesARowWithoutARunForARunOfItsOwn) {
  RunTable runs = testing::table();
  runs.add_texts("run_id", std::vector<std::string>(runs.rows()));
  FitReport report;
  warn_of_data(runs, report);
  EXPECT_THAT(report.warnings, Not(Contains(HasSubstr("run"))));
}

TEST(WarnOfData, SaysHowManyRowsHaveNoFlops) {
  RunTable runs = testing::table();
  std::vector<double> flops(runs.rows(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t row = 3; row < runs.rows(); ++row) {
    flops[row] = 6.0 * runs.params()[row] * runs.tokens()[row];
  }
  runs.add_numbers("flops", flops);
  FitReport report;
  report.cost_model = cost_model_of(runs);
  warn_of_data(runs, report);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("3 of 20 rows have no flops")));
}

TEST(DescribeData, SaysHowTheBestSizeGrowsByCountedFlops) {
  RunTable runs = testing::table();
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    flops.push_back(6.0 * std::pow(runs.params()[row], 1.5) * runs.tokens()[row]);
  }
  runs.add_numbers("flops", flops);
  const FitReport report = testing::fit_table(runs, testing::request());
  // C = 6 N^1.5 D and equal exponents of 0.3: ln N* = 0.3 / (0.3 + 1.5 * 0.3) ln C + ...
  EXPECT_NEAR(report.counted_growth, 0.4, 1e-9);
}

}  // namespace
}  // namespace sizewise::fitting

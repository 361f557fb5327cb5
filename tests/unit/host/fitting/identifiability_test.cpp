#include "fitting/identifiability.hpp"

#include <limits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

FitReport report_with(int failed, int not_identified) {
  FitReport report;
  report.result.status = FitStatus::kIdentified;
  report.bootstrap.emplace();
  report.bootstrap->replicates = 100;
  report.bootstrap->failed = failed;
  report.bootstrap->not_identified = not_identified;
  report.bootstrap->reasons["no_minimum"] = not_identified;
  return report;
}

TEST(JudgeRows, IsNotMisledByRowsWithoutNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  RunTable runs;
  runs.add_numbers("params", {nan, 1e6, nan, 2e7, 1e6, nan});
  runs.add_numbers("tokens", {1e8, 1e8, nan, 1e9, 1e11, nan});
  FitResult result;
  result.status = FitStatus::kIdentified;
  judge_rows(runs, result);
  EXPECT_THAT(result.reasons, IsEmpty());
  RunTable none;
  none.add_numbers("params", {nan});
  none.add_numbers("tokens", {nan});
  judge_rows(none, result);
  EXPECT_EQ(result.reasons.size(), 2U);
}

/// @param level of the intervals that are shown
FitReport report_with_exponent(double a, double error, double level) {
  FitReport report;
  report.result.status = FitStatus::kIdentified;
  report.result.a = a;
  report.hessian = HessianReport{level, {{"a", error}}, {}};
  return report;
}

FitReport with_draws(FitReport report, std::vector<double> draws) {
  BootstrapReport bootstrap;
  bootstrap.draws["a"] = std::move(draws);
  report.bootstrap = std::move(bootstrap);
  return report;
}

TEST(JudgeExponent, RefusesAnIntervalThatReachesOutsideZeroToOne) {
  FitReport wide = report_with_exponent(0.3, 0.2, 0.5);
  judge_exponent(wide);
  ASSERT_EQ(wide.result.reasons.size(), 1U);
  EXPECT_EQ(wide.result.reasons[0].code, "wide_exponent");
  EXPECT_FALSE(wide.identified());
  FitReport narrow = report_with_exponent(0.3, 0.1, 0.9999);
  judge_exponent(narrow);
  EXPECT_TRUE(narrow.identified());
  FitReport unknown;
  unknown.result.status = FitStatus::kIdentified;
  judge_exponent(unknown);
  EXPECT_TRUE(unknown.identified());
}

TEST(JudgeExponent, BelievesTheBootstrapBeforeTheHessian) {
  const FitReport report = report_with_exponent(0.3, 0.2, 0.95);
  FitReport inside = with_draws(report, {0.2, 0.3, 0.4});
  judge_exponent(inside);
  EXPECT_TRUE(inside.identified());
  FitReport outside = with_draws(report, {-0.2, 0.3, 0.4});
  judge_exponent(outside);
  EXPECT_FALSE(outside.identified());
}

TEST(JudgeBootstrap, RefusesWhatDisagreesInKind) {
  FitReport report = report_with(6, 20);
  judge_bootstrap(report);
  ASSERT_EQ(report.result.reasons.size(), 1U);
  EXPECT_EQ(report.result.reasons[0].code, "unstable_bootstrap");
  EXPECT_THAT(
      report.result.reasons[0].message,
      HasSubstr("26 of 100 resamples do not identify the law (20 no_minimum, 6 no "
                "law)"));
}

TEST(JudgeBootstrap, WarnsOfSome) {
  FitReport report = report_with(0, 10);
  judge_bootstrap(report);
  EXPECT_TRUE(report.identified());
  ASSERT_EQ(report.warnings.size(), 1U);
  report = report_with(0, 3);
  judge_bootstrap(report);
  EXPECT_THAT(report.warnings, IsEmpty());
}

}  // namespace
}  // namespace sizewise::fitting

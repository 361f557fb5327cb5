#include "fitting/comparison.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fit_fixture.hpp"
#include "reporting/fit_text.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::HasSubstr;

/// A report of which a has these draws.
FitReport report_of(const std::string& id, double centre, double spread) {
  FitReport report;
  report.fit.plugin = id;
  report.result.status = FitStatus::kIdentified;
  report.result.a = centre;
  report.result.b = 1.0 - centre;
  report.bootstrap.emplace();
  report.bootstrap->interval["a"] = {centre - spread, centre + spread};
  report.bootstrap->interval["b"] = {1.0 - centre - spread, 1.0 - centre + spread};
  for (int i = -100; i <= 100; ++i) {
    report.bootstrap->draws["a"].push_back(centre + spread * i / 100.0);
  }
  return report;
}

TEST(DifferencesOf, SaysWhetherIntervalsHaveNothingInCommon) {
  const std::vector<FitReport> reports = {report_of("one", 0.50, 0.02),
                                          report_of("two", 0.53, 0.02),
                                          report_of("three", 0.56, 0.02)};
  const std::vector<Difference> differences = differences_of(reports);
  ASSERT_EQ(differences.size(), 6U) << "three pairs, a and b";
  EXPECT_FALSE(differences[0].disagrees());
  EXPECT_EQ(differences[2].first, "one");
  EXPECT_EQ(differences[2].second, "three");
  EXPECT_TRUE(differences[2].disagrees());
  EXPECT_THAT(reporting::comparison_text(reports, differences),
              HasSubstr("one and three disagree about a beyond their intervals"));
  const nlohmann::json written = comparison_to_json(reports, differences);
  EXPECT_TRUE(written.at("disagree").get<bool>());
  EXPECT_EQ(written.at("fits").size(), 3U);
}

TEST(DifferencesOf, PairsTheResamples) {
  // Both move together, so that their difference is sure though their intervals overlap.
  const std::vector<Difference> differences = differences_of(
      std::vector{report_of("one", 0.50, 0.02), report_of("two", 0.51, 0.02)});
  ASSERT_TRUE(differences[0].interval.has_value());
  EXPECT_NEAR(differences[0].interval->low, 0.01, 1e-12);
  EXPECT_NEAR(differences[0].interval->high, 0.01, 1e-12);
  EXPECT_FALSE(differences[0].disagrees());
}

TEST(DifferencesOf, ComparesTheSizesForEqualBudgets) {
  std::vector<FitReport> reports = {report_of("one", 0.5, 0.02),
                                    report_of("two", 0.5, 0.02)};
  for (std::size_t i = 0; i < 2; ++i) {
    Optimum optimum;
    optimum.question = {Question::Kind::kBudget, 1e24};
    optimum.budget = Flops(1e24);
    optimum.params = Parameters(i == 0 ? 1e9 : 2e9);
    optimum.params_interval = i == 0 ? Interval{0.9e9, 1.1e9} : Interval{1.8e9, 2.2e9};
    reports[i].optima = {optimum};
    reports[i].bootstrap->draws["params 0"] = {optimum.params.value(),
                                               optimum.params.value()};
  }
  const std::vector<Difference> differences = differences_of(reports);
  ASSERT_EQ(differences.size(), 3U);
  EXPECT_EQ(differences[2].quantity, "params for 1e+24");
  EXPECT_TRUE(differences[2].disagrees());
  EXPECT_NEAR(differences[2].interval->low, std::log(2.0), 1e-12);
}

TEST(DifferencesOf, DecidesNothingWithoutIntervals) {
  std::vector<FitReport> reports = {report_of("one", 0.1, 0.01),
                                    report_of("two", 0.9, 0.01)};
  for (FitReport& report : reports) {
    report.bootstrap.reset();
  }
  EXPECT_FALSE(differences_of(reports)[0].disagrees());
  EXPECT_THAT(reporting::comparison_text(reports, differences_of(reports)),
              HasSubstr("Without intervals"));
}

}  // namespace
}  // namespace sizewise::fitting

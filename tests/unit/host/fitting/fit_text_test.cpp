#include "reporting/fit_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"
#include "reporting/terminal_report.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using testing::fit_table;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::request;
using testing::table;

TEST(FitText, FitsEightyColumns) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.asked.questions = budget_questions({Flops(1e18), Flops(1.2345e21)});
  const std::string text = reporting::fit_text(fit_table(table(), asked));
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 80U) << text.substr(begin, end - begin);
  }
  EXPECT_THAT(text, AllOf(HasSubstr("Status: identified"), HasSubstr("1.2345e+21")));
}

TEST(FitText, SaysThatAValueIsHeldWhereTheAskerGaveIt) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.asked.limits.params = Parameters(3e7);
  const FitReport report = fit_table(table(), asked);
  ASSERT_EQ(report.optima.size(), 1U);
  EXPECT_THAT(reporting::fit_text(report), ContainsRegex("1e\\+18 +3e\\+07 +held +"));
}

TEST(FitText, DoesNotCallASizeHeldThatFollowsFromDataAndLoss) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.asked.questions = {{Question::Kind::kTargetLoss, 3.5}};
  asked.asked.limits.tokens = Units(1e10);
  const FitReport report = fit_table(table(), asked);
  ASSERT_EQ(report.optima.size(), 1U);
  EXPECT_THAT(reporting::fit_text(report), Not(HasSubstr("held")));
}

TEST(FitText, GivesTheIntervalOfAValueThatIsNotHeld) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  FitReport report = fit_table(table(), asked);
  report.optima[0].params_interval = Interval{4e8, 6e8};
  EXPECT_THAT(reporting::fit_text(report),
              AllOf(HasSubstr("4e+08 to 6e+08"), Not(HasSubstr("held"))));
  report.optima[0].params_interval.reset();
  EXPECT_THAT(reporting::fit_text(report), Not(HasSubstr("held")));
}

TEST(FitText, GivesTheIntervalOfTheDataWhereASizeWasAsked) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  asked.asked.questions = {{Question::Kind::kParams, 1e8}};
  FitReport report = fit_table(table(), asked);
  report.optima[0].tokens_interval = Interval{2e9, 3e9};
  report.optima[0].budget_interval = Interval{5e17, 7e17};
  EXPECT_THAT(reporting::fit_text(report),
              AllOf(HasSubstr("Budget of which this size is the best use"),
                    HasSubstr("2e+09 to 3e+09"),
                    HasSubstr("    budget 5e+17 to 7e+17\n")));
}

TEST(FitText, SaysHowTheBestSizeGrowsWhereCountedFlopsChangeThat) {
  FitReport report = fit_table(table(), request());
  report.counted_growth = report.result.a + 0.001;
  EXPECT_THAT(reporting::fit_text(report),
              HasSubstr("  best params grow as C^a, best tokens as C^b\n"));
  report.counted_growth = 0.4321;
  EXPECT_THAT(reporting::fit_text(report), HasSubstr("params grow as C^0.432"));
}

TEST(FitText, GivesTheErrorsOfTheIntervalsSource) {
  FitRequest asked = request();
  asked.bootstrap = 20;
  FitReport report = fit_table(table(), asked);
  report.bootstrap->standard_error["E"] = 0.125;
  report.hessian->standard_error["E"] = 0.375;
  EXPECT_THAT(reporting::fit_text(report), ContainsRegex(" E +2.095 +0.125"));
  report.bootstrap.reset();
  EXPECT_THAT(reporting::fit_text(report), ContainsRegex(" E +2.095 +0.375"));
}

TEST(FitText, ShowsNoLawWhereThereIsNone) {
  FitReport report = fit_table(table(), request());
  for (auto& [name, value] : report.result.law.values) {
    value = FitResult::kUnknown;
  }
  EXPECT_THAT(reporting::fit_text(report),
              AllOf(Not(HasSubstr("Law:")), Not(HasSubstr("objective"))));
}

TEST(OutcomeText, NamesWhatTheRecommendationCounts) {
  Outcome outcome;
  outcome.run_dir = "run";
  Recommendation made;
  made.budget = Flops(1e18);
  made.size = 64;
  made.params = Parameters(2.5e6);
  made.tokens = Units(1.5e9);
  made.loss = 1.25;
  made.cost_model = "counted";
  made.unit = "example";
  outcome.recommendations = {made};
  EXPECT_THAT(reporting::outcome_report(outcome),
              HasSubstr("size 64: 2.5M parameters on 1.5G examples, loss 1.2500\n"));
  outcome.recommendations[0].unit = "token";
  outcome.recommendations[0].loss = FitResult::kUnknown;
  EXPECT_THAT(reporting::outcome_report(outcome),
              HasSubstr("size 64: 2.5M parameters on 1.5G tokens\n"));
}

}  // namespace
}  // namespace sizewise::fitting

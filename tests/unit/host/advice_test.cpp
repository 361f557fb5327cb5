#include "advice.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const SizeSpec kWidths{"width", "", 16, 256, 16};

TrialState trial(double budget, int64_t size, double loss) {
  TrialState made;
  made.budget = Flops(budget);
  made.size = size;
  made.loss = loss;
  made.status = "done";
  return made;
}

fitting::FitReport not_identified(const std::string& reason) {
  fitting::FitReport report;
  report.result.status = FitStatus::kNotIdentified;
  report.result.reasons = {{reason, "a message"}};
  return report;
}

TEST(Advice, IsNotNeededWhereTheLawIsIdentified) {
  fitting::FitReport report;
  report.result.status = FitStatus::kIdentified;
  EXPECT_THAT(advice_for(report, {trial(1e9, 16, 1)}, kWidths, "sweep"), IsEmpty());
}

TEST(Advice, SaysWhichWayTheBudgetsShouldGo) {
  const std::vector<TrialState> small = {trial(1e9, 16, 1),
                                         trial(1e9, 32, 2),
                                         trial(2e9, 16, 1),
                                         trial(2e9, 32, 0.5),
                                         trial(2e9, 48, 0.6)};
  EXPECT_THAT(
      advice_for(not_identified("no_minimum"), small, kWidths, "sweep"),
      ElementsAre(AllOf(HasSubstr("1 of 2 budgets"),
                        HasSubstr("smallest size tried (width 16): raise --budgets"),
                        HasSubstr("smallest model has fewer parameters"))));
  const std::vector<TrialState> large = {
      trial(1e9, 32, 1), trial(1e9, 256, 0.5), trial(2e9, 32, 1), trial(2e9, 64, 0.5)};
  EXPECT_THAT(advice_for(not_identified("no_minimum"), large, kWidths, "sweep"),
              ElementsAre(AllOf(HasSubstr("2 of 2 budgets"),
                                HasSubstr("largest size tried (width 256): lower"),
                                HasSubstr("let the model have larger sizes"))));
}

TEST(Advice, NamesTrialsThatCameToNothing) {
  std::vector<TrialState> trials(4);
  trials[0].status = "failed";
  trials[1].status = "diverged";
  EXPECT_THAT(
      advice_for(not_identified("few_rows"), trials, kWidths, "sweep"),
      ElementsAre(
          AllOf(HasSubstr("1 of 4 trials failed"), HasSubstr("--retry-failed")),
          AllOf(HasSubstr("1 of 4 trials diverged"), HasSubstr("--learning-rate"))));
}

TEST(Advice, FollowsTheReasons) {
  EXPECT_THAT(advice_for(not_identified("few_budgets"), {}, kWidths, "sweep"),
              ElementsAre(HasSubstr("three or more --budgets")));
  EXPECT_THAT(advice_for(not_identified("narrow_params"), {}, kWidths, "sweep"),
              ElementsAre(HasSubstr("spread --budgets wider")));
  EXPECT_THAT(advice_for(not_identified("something_new"), {}, kWidths, "sweep"),
              SizeIs(1))
      << "there is always something to do";
}

TEST(EdgeAdvice, SaysNothingOfMinimaInside) {
  EXPECT_THAT(
      edge_advice({trial(1e9, 32, 2), trial(1e9, 48, 1), trial(1e9, 64, 2)}, kWidths),
      IsEmpty());
  EXPECT_THAT(edge_advice({}, kWidths), IsEmpty());
}

TEST(EdgeAdvice, LetsTheSweepTrySizesThatTheModelHas) {
  EXPECT_THAT(
      edge_advice({trial(1e9, 32, 1), trial(1e9, 48, 2), trial(1e9, 64, 3)}, kWidths),
      ElementsAre(AllOf(HasSubstr("1 of 1 budgets"),
                        HasSubstr("smallest size tried (width 32): raise --budgets"),
                        HasSubstr("let the sweep try smaller sizes"))));
  EXPECT_THAT(
      edge_advice({trial(1e9, 32, 3), trial(1e9, 48, 2), trial(1e9, 64, 1)}, kWidths),
      ElementsAre(AllOf(HasSubstr("1 of 1 budgets"),
                        HasSubstr("largest size tried (width 64): lower --budgets"),
                        HasSubstr("let the sweep try larger sizes"))));
}

TEST(EdgeAdvice, NamesBothEndsWhereBudgetsDiffer) {
  EXPECT_THAT(edge_advice({trial(1e9, 16, 1),
                           trial(1e9, 32, 2),
                           trial(2e9, 16, 2),
                           trial(2e9, 32, 1),
                           trial(4e9, 32, 2),
                           trial(4e9, 48, 1)},
                          kWidths),
              ElementsAre(AllOf(HasSubstr("1 of 3"), HasSubstr("width 16")),
                          AllOf(HasSubstr("2 of 3"), HasSubstr("width 48"))));
}

TEST(EdgeAdvice, CountsOnlyTrialsThatAreDoneForABudget) {
  std::vector<TrialState> trials = {
      trial(1e9, 16, 0.1), trial(1e9, 32, 2), trial(1e9, 48, 1), trial(1e9, 64, 2)};
  trials.push_back(trial(1e9, 80, std::numeric_limits<double>::quiet_NaN()));
  trials[0].status = "diverged";
  EXPECT_THAT(edge_advice(trials, kWidths), IsEmpty());
  trials[0].status = "done";
  EXPECT_THAT(edge_advice(trials, kWidths), SizeIs(1));
  for (TrialState& one : trials) {
    one.budget.reset();
  }
  EXPECT_THAT(edge_advice(trials, kWidths), IsEmpty());
}

TEST(Advice, OfAGridSpeaksOfItsSizesAndNotOfBudgets) {
  std::vector<TrialState> grid = {trial(1e9, 16, 2), trial(1e9, 32, 1)};
  for (TrialState& one : grid) {
    one.budget.reset();
  }
  for (const char* reason :
       {"few_budgets", "narrow_params", "wide_exponent", "something_new"}) {
    EXPECT_THAT(advice_for(not_identified(reason), grid, kWidths, "sweep"),
                ElementsAre(AllOf(HasSubstr("let the grid hold more sizes"),
                                  HasSubstr("--sweep-option sizes=..., tokens=..."))))
        << reason;
  }
  grid[0].status = "failed";
  EXPECT_THAT(advice_for(not_identified("something_new"), grid, kWidths, "sweep"),
              ElementsAre(HasSubstr("--retry-failed")))
      << "the cause is known";
  EXPECT_THAT(advice_for(not_identified("narrow_params"), grid, kWidths, "sweep"),
              SizeIs(2));
}

TEST(Advice, NamesEveryReasonOnce) {
  fitting::FitReport report = not_identified("few_budgets");
  report.result.reasons.push_back({"narrow_params", "a message"});
  report.result.reasons.push_back({"wide_exponent", "a message"});
  EXPECT_THAT(advice_for(report, {}, kWidths, "sweep"),
              ElementsAre(HasSubstr("three or more --budgets"),
                          HasSubstr("the best sizes then differ more"),
                          HasSubstr("over a factor of 10 or more")));
}

}  // namespace
}  // namespace sizewise

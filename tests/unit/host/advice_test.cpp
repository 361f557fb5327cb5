#include "advice.hpp"

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
  EXPECT_THAT(advice_for(report, {trial(1e9, 16, 1)}, kWidths), IsEmpty());
}

TEST(Advice, SaysWhichWayTheBudgetsShouldGo) {
  const std::vector<TrialState> small = {trial(1e9, 16, 1),
                                         trial(1e9, 32, 2),
                                         trial(2e9, 16, 1),
                                         trial(2e9, 32, 0.5),
                                         trial(2e9, 48, 0.6)};
  EXPECT_THAT(
      advice_for(not_identified("no_minimum"), small, kWidths),
      ElementsAre(AllOf(HasSubstr("1 of 2 budgets"),
                        HasSubstr("smallest size tried (width 16): raise --budgets"),
                        HasSubstr("smallest model has fewer parameters"))));
  const std::vector<TrialState> large = {
      trial(1e9, 32, 1), trial(1e9, 256, 0.5), trial(2e9, 32, 1), trial(2e9, 64, 0.5)};
  EXPECT_THAT(advice_for(not_identified("no_minimum"), large, kWidths),
              ElementsAre(AllOf(HasSubstr("2 of 2 budgets"),
                                HasSubstr("largest size tried (width 256): lower"),
                                HasSubstr("let the model have larger sizes"))));
}

TEST(Advice, NamesTrialsThatCameToNothing) {
  std::vector<TrialState> trials(4);
  trials[0].status = "failed";
  trials[1].status = "diverged";
  EXPECT_THAT(
      advice_for(not_identified("few_rows"), trials, kWidths),
      ElementsAre(
          AllOf(HasSubstr("1 of 4 trials failed"), HasSubstr("--retry-failed")),
          AllOf(HasSubstr("1 of 4 trials diverged"), HasSubstr("--learning-rate"))));
}

TEST(Advice, FollowsTheReasons) {
  EXPECT_THAT(advice_for(not_identified("few_budgets"), {}, kWidths),
              ElementsAre(HasSubstr("three or more --budgets")));
  EXPECT_THAT(advice_for(not_identified("narrow_params"), {}, kWidths),
              ElementsAre(HasSubstr("spread --budgets wider")));
  EXPECT_THAT(advice_for(not_identified("something_new"), {}, kWidths), SizeIs(1))
      << "there is always something to do";
}

}  // namespace
}  // namespace sizewise

#include "reporting/terminal_report.hpp"

#include <cmath>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise::reporting {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t most = 0;
  for (std::string line; std::getline(lines, line);) {
    most = std::max(most, line.size());
  }
  return most;
}

TEST(TerminalReport, CountsAndTimesAreShort) {
  EXPECT_EQ(short_count(9999), "9999");
  EXPECT_EQ(short_count(12345678), "12.3M");
  EXPECT_EQ(short_count(NAN), "?");
  EXPECT_EQ(short_time(95), "1 min 35 s");
  EXPECT_EQ(short_time(7260), "2 h 1 min");
  EXPECT_EQ(short_time(NAN), "?");
}

TEST(TerminalReport, APlanSaysThatMoreRoundsMayFollow) {
  planning::Plan plan;
  plan.rounds.emplace_back(1);
  plan.rounds[0][0].pilot = true;
  EXPECT_THAT(plan_table(plan), HasSubstr("These are pilots"));
  plan.rounds[0][0].pilot = false;
  EXPECT_THAT(plan_table(plan),
              AllOf(Not(HasSubstr("pilots")), HasSubstr("may plan further rounds")));
}

TEST(TerminalReport, SaysWhatToDoNext) {
  Outcome outcome;
  outcome.run_dir = "run";
  EXPECT_THAT(outcome_report(outcome), Not(HasSubstr("What to do next")));
  outcome.advice = {"raise --budgets " + std::string(100, 'x'),
                    "a line that is longer than eighty columns is broken where there is "
                    "room for that, which is at a space"};
  const std::string text = outcome_report(outcome);
  EXPECT_THAT(text, HasSubstr("What to do next\n  - raise --budgets\n"));
  outcome.advice.erase(outcome.advice.begin());
  EXPECT_LE(widest(outcome_report(outcome)), 80U);
}

}  // namespace
}  // namespace sizewise::reporting

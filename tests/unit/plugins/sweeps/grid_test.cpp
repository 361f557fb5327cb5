#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "law_host.hpp"

namespace sizewise::testing {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<Sweep> grid(std::vector<int64_t> sizes, std::vector<int64_t> tokens) {
  Options options;
  options.set("sizes", std::move(sizes));
  options.set("tokens", std::move(tokens));
  return load_sweep(SIZEWISE_GRID, options);
}

TEST(Grid, AsksOnceForEverySizeOnEveryNumberOfTokens) {
  LawHost host({}, {});
  Trained trained;
  const std::shared_ptr<Sweep> sweep = grid({8, 16}, {100, 200, 300});
  const std::vector<TrialRequest> round = sweep->next(trained.table(), host);
  ASSERT_EQ(round.size(), 6U);
  EXPECT_EQ(round[4].size, 16);
  EXPECT_EQ(round[4].tokens, 200);
  EXPECT_FALSE(round[4].budget.has_value());
  EXPECT_FALSE(round[4].pilot);
  trained.add(round, host);
  EXPECT_TRUE(sweep->next(trained.table(), host).empty());
}

TEST(Grid, RefusesASizeThatTheModelDoesNotHave) {
  LawHost host({}, {});
  try {
    static_cast<void>(grid({8, 17}, {100})->next(RunTable(), host));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(), HasSubstr("17"));
    EXPECT_THAT(error.message(), HasSubstr("4 to 4096 in steps of 4"));
    EXPECT_THAT(error.suggestion(), HasSubstr("16"));
  }
}

TEST(Grid, RefusesEmptyListsAndNumbersBelowOne) {
  EXPECT_THROW(grid({}, {100}), Error);
  EXPECT_THROW(grid({8}, {}), Error);
  EXPECT_THROW(grid({8}, {0}), Error);
}

}  // namespace
}  // namespace sizewise::testing

#include "planning/feasibility.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "settings.hpp"

namespace sizewise::planning {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Feasibility, RefusesABatchLargerThanTheData) {
  const DatasetInfo data = sizewise::testing::made_up_data();
  EXPECT_NO_THROW(check_batch(1000, data));
  try {
    check_batch(1001, data);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("1001"), HasSubstr("1000 samples")));
    EXPECT_THAT(error.suggestion(), HasSubstr("--batch-size 1000"));
  }
}

TEST(Feasibility, RefusesABudgetThatOnlyRepeatsTheData) {
  const DatasetInfo data = sizewise::testing::made_up_data();
  const SizeFacts smallest{8, Parameters(800), 4800};
  // A pass over 16,000 units with 1e6 parameters costs 9.6e10 FLOPs.
  const std::vector<Flops> fine = {Flops(1e9), Flops(9.59e12)};
  EXPECT_NO_THROW(check_budgets(fine, smallest, data, Parameters(1e6)));
  const std::vector<Flops> much = {Flops(1e9), Flops(9.7e12)};
  try {
    check_budgets(much, smallest, data, Parameters(1e6));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("9.7e+12 FLOPs"),
                      HasSubstr("16000 tokens"),
                      HasSubstr("allowed: 100 passes")));
    EXPECT_THAT(error.suggestion(), HasSubstr("--budgets"));
  }
}

TEST(Feasibility, WarnsOfFewerThanThreeBudgets) {
  const auto warning = [](std::vector<Flops> budgets) {
    return few_budgets_warning(budgets);
  };
  EXPECT_EQ(warning({}), "") << "a grid takes none";
  EXPECT_THAT(warning({Flops(1e9)}), HasSubstr("1 training budget:"));
  EXPECT_THAT(warning({Flops(1e10), Flops(1e9)}), HasSubstr("2 training budgets:"));
  EXPECT_THAT(warning({Flops(1e9), Flops(1.05e9), Flops(1e10)}), HasSubstr("2 training"))
      << "budgets this near count once";
  EXPECT_EQ(warning({Flops(1e9), Flops(2e9), Flops(4e9)}), "");
}

}  // namespace
}  // namespace sizewise::planning

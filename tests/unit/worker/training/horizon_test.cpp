#include "training/horizon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::training {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DatasetInfo tokens_of_16() {
  DatasetInfo data;
  data.unit = "token";
  data.units_per_sample = 16;
  data.train_samples = 100;
  return data;
}

TEST(Horizon, ShortensTheLastBatchToConsumeExactlyTheTokens) {
  const Horizon horizon = plan_horizon(16L * 21, tokens_of_16(), {.batch_size = 8});
  EXPECT_EQ(horizon.steps, 3);
  EXPECT_EQ(horizon.samples_in_step(0), 8);
  EXPECT_EQ(horizon.samples_in_step(2), 5);
}

TEST(Horizon, MayPassOverTheDataMoreThanOnce) {
  EXPECT_EQ(plan_horizon(16L * 800, tokens_of_16(), {.batch_size = 8}).steps, 100);
}

TEST(Horizon, RefusesABudgetBelowOneBatchWithTheNumbers) {
  try {
    static_cast<void>(plan_horizon(16L * 7, tokens_of_16(), {.batch_size = 8}));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("budget too small for one batch"),
                      HasSubstr("112 tokens"),
                      HasSubstr("7 samples"),
                      HasSubstr("8 samples (128 tokens)")));
    EXPECT_THAT(error.suggestion(), HasSubstr("at most 7"));
  }
}

TEST(Horizon, RefusesTokensThatAreNoWholeSamples) {
  for (const int64_t tokens : {0, -16, 17}) {
    try {
      static_cast<void>(plan_horizon(tokens, tokens_of_16(), {.batch_size = 1}));
      FAIL() << "accepted " << tokens;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
      EXPECT_THAT(error.message(), HasSubstr("multiples of 16"));
    }
  }
}

TEST(Horizon, RefusesDataWithoutTrainingSamples) {
  DatasetInfo data = tokens_of_16();
  data.train_samples = 0;
  EXPECT_THROW(static_cast<void>(plan_horizon(16, data, {.batch_size = 1})), Error);
}

TEST(SplitStep, DividesEvenlyAndLeavesNoPassEmpty) {
  EXPECT_THAT(split_step(10, 4), ElementsAre(3, 3, 2, 2));
  EXPECT_THAT(split_step(2, 4), ElementsAre(1, 1));
  EXPECT_THAT(split_step(8, 1), ElementsAre(8));
}

}  // namespace
}  // namespace sizewise::training

#include "training/schedule.hpp"

#include <gtest/gtest.h>

namespace sizewise::training {
namespace {

TEST(PeakLearningRate, FollowsThePowerOfTheParameters) {
  const Recipe recipe{.learning_rate = 1e-3,
                      .learning_rate_exponent = -0.5,
                      .learning_rate_reference = 1e6};
  EXPECT_DOUBLE_EQ(peak_learning_rate(recipe, 4'000'000), 0.5e-3);
  EXPECT_DOUBLE_EQ(peak_learning_rate(recipe, 1'000'000), 1e-3);
}

TEST(LearningRate, WarmsUpLinearlyFromAboveZero) {
  const Recipe recipe{.schedule = "constant", .warmup = 0.1};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 30), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 2, 30), 0.75);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 3, 30), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 29, 30), 1.0);
}

TEST(LearningRate, CosineHalvesInTheMiddleAndNeverReachesZero) {
  const Recipe recipe{.schedule = "cosine", .warmup = 0};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 0, 100), 1.0);
  EXPECT_NEAR(learning_rate_factor(recipe, 50, 100), 0.5, 1e-12);
  EXPECT_GT(learning_rate_factor(recipe, 99, 100), 0.0);
  EXPECT_LT(learning_rate_factor(recipe, 99, 100), 1e-3);
}

TEST(LearningRate, CosineSpansTheStepsAfterTheWarmUp) {
  const Recipe recipe{.schedule = "cosine", .warmup = 0.2};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 20, 100), 1.0);
  EXPECT_NEAR(learning_rate_factor(recipe, 60, 100), 0.5, 1e-12);
}

TEST(LearningRate, WsdHoldsThenDecaysOverTheLastFifth) {
  const Recipe recipe{.schedule = "wsd", .warmup = 0};
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 79, 100), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 90, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate_factor(recipe, 99, 100), 0.05);
}

TEST(LearningRate, IsPositiveForTheShortestTrials) {
  for (const char* schedule : {"cosine", "constant", "wsd"}) {
    for (const double warmup : {0.0, 0.5, 1.0}) {
      const Recipe recipe{.schedule = schedule, .warmup = warmup};
      for (int64_t steps = 1; steps < 6; ++steps) {
        for (int64_t step = 0; step < steps; ++step) {
          const double factor = learning_rate_factor(recipe, step, steps);
          EXPECT_GT(factor, 0.0) << schedule << warmup << ' ' << step << '/' << steps;
          EXPECT_LE(factor, 1.0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sizewise::training

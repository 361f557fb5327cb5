#include "coverage.hpp"

#include <gtest/gtest.h>

namespace sizewise::cli {
namespace {

/// Of 40 intervals of 95 %, 34 to 40 hold the truth with a probability of 0.99; the
/// benchmark takes 200.
void expect_honest(const testing::CoverageOfBoth& coverage) {
  for (const testing::Coverage& one : {coverage.a, coverage.params}) {
    EXPECT_GE(one.share, 34.0 / 40.0);
    EXPECT_LE(one.width_ratio, 1.3);
    EXPECT_GE(one.width_ratio, 0.8);
  }
}

TEST(Coverage, IsHonestWhereNoiseIsIndependent) {
  expect_honest(testing::measure_coverage(SIZEWISE_SHIPPED_PLUGINS, 40, 300, 2, false));
}

TEST(Coverage, IsHonestWhereCheckpointsShareTheirNoise) {
  expect_honest(testing::measure_coverage(SIZEWISE_SHIPPED_PLUGINS, 40, 300, 2, true));
}

}  // namespace
}  // namespace sizewise::cli

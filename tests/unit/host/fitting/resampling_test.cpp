#include "fitting/resampling.hpp"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::ElementsAre;

TEST(ClustersOf, AreRunsWhereRunIdsRepeat) {
  RunTable runs;
  runs.add_numbers("loss", {1, 2, 3, 4, 5});
  EXPECT_EQ(clusters_of(runs).unit, "row");
  EXPECT_EQ(clusters_of(runs).rows.size(), 5U);
  runs.add_texts("run_id", {"a", "", "b", "a", ""});
  const Clusters clusters = clusters_of(runs);
  EXPECT_EQ(clusters.unit, "run_id");
  EXPECT_THAT(
      clusters.rows,
      ElementsAre(ElementsAre(0, 3), ElementsAre(1), ElementsAre(2), ElementsAre(4)));
}

TEST(ClustersOf, AreRowsWhereAllAreOfOneRun) {
  RunTable runs;
  runs.add_numbers("loss", {1, 2, 3});
  runs.add_texts("run_id", {"a", "a", "a"});
  EXPECT_EQ(clusters_of(runs).unit, "row");
  EXPECT_EQ(clusters_of(runs).rows.size(), 3U);
}

TEST(Resample, DrawsAsManyClustersAsThereAre) {
  Clusters clusters{"run_id", {{0, 1}, {2, 3}, {4, 5}}};
  std::vector<double> times(7, 0.0);
  for (uint64_t replicate = 0; replicate < 2000; ++replicate) {
    std::mt19937_64 random = random_of(5, replicate);
    const std::vector<double> weights = resample(clusters, 6, random);
    EXPECT_EQ(std::accumulate(weights.begin(), weights.end(), 0.0), 6.0);
    EXPECT_EQ(weights[2], weights[3]) << "whole runs are drawn";
    times[static_cast<std::size_t>(weights[0])] += 1.0;
  }
  // A run of three is not drawn with probability (2/3)^3.
  EXPECT_NEAR(times[0] / 2000.0, 8.0 / 27.0, 0.03);
  EXPECT_NEAR(times[3] / 2000.0, 1.0 / 27.0, 0.012);
}

TEST(RandomOf, FollowsFromSeedAndReplicate) {
  EXPECT_EQ(random_of(1, 2)(), random_of(1, 2)());
  EXPECT_NE(random_of(1, 2)(), random_of(2, 1)());
  EXPECT_NE(random_of(1, 2)(), random_of(1, 3)());
}

TEST(WithNoise, GivesEachRunOneNormalDraw) {
  const Clusters clusters{"run_id", {{0, 1}, {2}}};
  std::vector<double> logs;
  for (uint64_t replicate = 0; replicate < 5000; ++replicate) {
    std::mt19937_64 random = random_of(3, replicate);
    const std::vector<double> losses = with_noise(clusters, {2, 4, 3}, 0.01, random);
    EXPECT_NEAR(losses[1] / losses[0], 2.0, 1e-12);
    EXPECT_NE(losses[2] / 3.0, losses[0] / 2.0);
    logs.push_back(std::log(losses[0] / 2.0));
  }
  EXPECT_NEAR(standard_deviation(logs), 0.01, 3e-4);
  EXPECT_NEAR(quantile(logs, 0.975), 0.0196, 8e-4);
}

}  // namespace
}  // namespace sizewise::fitting

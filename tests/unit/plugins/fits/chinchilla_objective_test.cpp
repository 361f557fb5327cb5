#include "chinchilla_objective.hpp"

#include <array>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "made_runs.hpp"

namespace sizewise::fits {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Law kLaw = testing::chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);

class ChinchillaObjectiveTest : public ::testing::TestWithParam<ResidualKind> {};

TEST_P(ChinchillaObjectiveTest, MeetsFiniteDifferences) {
  const RunTable runs = testing::made_runs(kLaw, 0.05, 1);
  const LawRows rows = law_rows({runs, {}, nullptr});
  const ChinchillaObjective objective(rows, GetParam(), 0.02);
  LawPoint point = point_of_law(kLaw, rows);
  point += LawPoint(0.03, -0.05, 0.02, 0.04, -0.03);
  RobustColumns<5> columns(rows.weight);
  objective.linearize(point, nullptr, columns);
  const RobustSums<5> sums = robust_sums(columns, columns.residual, objective.delta());
  EXPECT_NEAR(sums.value, objective.value(point), 1e-14);
  RobustColumns<5> after(rows.weight);
  RobustColumns<5> before(rows.weight);
  constexpr double kStep = 1e-6;
  for (int i = 0; i < 5; ++i) {
    LawPoint up = point;
    LawPoint down = point;
    up[i] += kStep;
    down[i] -= kStep;
    EXPECT_NEAR(sums.gradient[i],
                (objective.value(up) - objective.value(down)) / (2 * kStep),
                1e-7)
        << i;
    // The curvature counts the slopes of given residuals: those at the point.
    objective.linearize(up, nullptr, after);
    objective.linearize(down, nullptr, before);
    for (std::size_t j = 0; j < 5; ++j) {
      double change = 0.0;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const double slope = objective.loss().slope(columns.residual[row]);
        const double bend =
            (after.jacobian[j][row] - before.jacobian[j][row]) / (2 * kStep);
        change += slope * bend;
      }
      EXPECT_NEAR(columns.curvature(i, static_cast<Eigen::Index>(j)), change, 1e-7)
          << i << ' ' << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Residuals,
                         ChinchillaObjectiveTest,
                         ::testing::Values(ResidualKind::kLog, ResidualKind::kLinear));

TEST(ChinchillaObjective, ReadsLawsBackInTableUnits) {
  const RunTable runs = testing::made_runs(kLaw, 0.0, 1);
  const LawRows rows = law_rows({runs, {}, nullptr});
  const Law law = law_of_point(point_of_law(kLaw, rows), rows);
  for (const auto& [name, value] : kLaw.values) {
    EXPECT_NEAR(law.value(name) / value, 1.0, 1e-12) << name;
  }
}

TEST(LawRows, RefuseWhatHasNoLogarithmAndSayWhere) {
  for (const double bad : {0.0,
                           -1.0,
                           std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    RunTable runs;
    runs.add_numbers("params", {1, 2});
    runs.add_numbers("tokens", {1, bad});
    runs.add_numbers("loss", {1, 2});
    try {
      (void)law_rows({runs, {}, nullptr});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.message(), AllOf(HasSubstr("row 2"), HasSubstr("'tokens'")));
    }
    // A row that does not count may hold anything.
    static constexpr std::array<double, 2> kFirst = {1, 0};
    EXPECT_EQ(law_rows({runs, kFirst, nullptr}).size(), 1U);
  }
}

TEST(LawRows, RefuseWeightsThatAreNone) {
  const RunTable runs = testing::made_runs(kLaw, 0.0, 1);
  static constexpr std::array<double, 1> kOne = {1};
  EXPECT_THROW((void)law_rows({runs, kOne, nullptr}), Error);
  std::vector<double> weights(runs.rows(), 1.0);
  weights[3] = -1.0;
  EXPECT_THROW((void)law_rows({runs, weights, nullptr}), Error);
}

TEST(LawRows, RefuseATableWithoutRows) {
  const RunTable none = testing::made_runs(kLaw, 0.0, 1).select({});
  EXPECT_THROW((void)law_rows({none, {}, nullptr}), Error);
}

TEST(LawRows, SampleKeepsTheEndsAndTheAxes) {
  const RunTable runs = testing::made_runs(kLaw, 0.0, 1);
  const LawRows rows = law_rows({runs, {}, nullptr});
  const LawRows few = sampled(rows, 10);
  EXPECT_EQ(few.size(), 10U);
  EXPECT_DOUBLE_EQ(few.x.front(), 0.0);
  EXPECT_DOUBLE_EQ(few.x.back(), 1.0);
  EXPECT_EQ(few.params.origin, rows.params.origin);
}

}  // namespace
}  // namespace sizewise::fits

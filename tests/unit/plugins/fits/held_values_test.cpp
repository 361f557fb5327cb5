#include "held_values.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "chinchilla_objective.hpp"
#include "made_runs.hpp"
#include "parametric_fit.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;

const Law kLaw = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);

FitResult fit(const RunTable& runs,
              std::map<std::string, double> fixed,
              const FitResult* warm = nullptr) {
  FitInput input{runs, {}, warm};
  input.fixed = std::move(fixed);
  return fit_parametric_law(input, {});
}

TEST(HeldValues, DerivativesByTheFreeCoordinatesMeetFiniteDifferences) {
  const RunTable runs = made_runs(kLaw, 0.05, 1);
  const LawRows rows = law_rows({runs, {}, nullptr});
  for (const char* key : kLawKeys) {
    const HeldValues held({{key, 1.1 * kLaw.value(key)}}, rows);
    const ChinchillaObjective objective(rows, ResidualKind::kLog, 0.02, held);
    const LawPoint point = held.resolve(point_of_law(kLaw, rows));
    RobustColumns<5> columns(rows.weight);
    objective.linearize(point, nullptr, columns);
    const RobustSums<5> sums = robust_sums(columns, columns.residual, objective.delta());
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
                  1e-6)
          << key << ' ' << i;
      objective.linearize(up, nullptr, after);
      objective.linearize(down, nullptr, before);
      for (std::size_t j = 0; j < 5 && !held.holds(i); ++j) {
        double change = 0.0;
        for (std::size_t row = 0; row < rows.size(); ++row) {
          change += objective.loss().slope(columns.residual[row]) *
                    (after.jacobian[j][row] - before.jacobian[j][row]) / (2 * kStep);
        }
        EXPECT_NEAR(columns.curvature(i, static_cast<Eigen::Index>(j)), change, 1e-6)
            << key << ' ' << i << ' ' << j;
      }
    }
  }
}

TEST(HeldValues, AFitKeepsThemAndMovesTheOthers) {
  const RunTable runs = made_runs(kLaw, 0.01, 3);
  const FitResult best = fit(runs, {});
  for (const char* key : kLawKeys) {
    const double best_value = best.law.value(key);
    const FitResult same = fit(runs, {{key, best_value}}, &best);
    EXPECT_NEAR(same.objective / best.objective, 1.0, 1e-9) << key;
    const FitResult away = fit(runs, {{key, 1.1 * best_value}}, &best);
    EXPECT_NEAR(away.law.value(key) / best_value, 1.1, 1e-12) << key;
    EXPECT_GT(away.objective, best.objective * (1.0 + 1e-6)) << key;
    EXPECT_GT(std::fabs(away.a / best.a - 1.0), 1e-4) << key;
    const FitResult searched = fit(runs, {{key, 1.1 * best_value}});
    EXPECT_LE(searched.objective, away.objective * (1.0 + 1e-9)) << key;
    EXPECT_NEAR(searched.objective / away.objective, 1.0, 1e-6) << key;
  }
}

TEST(HeldValues, SeveralAtOnceLeaveAFitOfTheRest) {
  const RunTable runs = made_runs(kLaw, 0.0, 1);
  const FitResult result = fit(runs, {{"E", 1.69}, {"alpha", 0.34}, {"beta", 0.28}});
  EXPECT_NEAR(result.law.value("A") / 406.4, 1.0, 1e-8);
  EXPECT_NEAR(result.law.value("B") / 410.7, 1.0, 1e-8);
  const FitResult without_floor = fit(runs, {{"E", 0.0}});
  EXPECT_LT(without_floor.law.value("E"), 1e-200);
  EXPECT_TRUE(std::isfinite(without_floor.a));
}

TEST(HeldValues, RefuseKeysAndValuesThatTheLawHasNot) {
  const RunTable runs = made_runs(kLaw, 0.0, 1);
  for (const auto& [key, value] :
       std::map<std::string, double>{{"R_D", 1.0},
                                     {"E", -1.0},
                                     {"alpha", 0.0},
                                     {"A", std::numeric_limits<double>::quiet_NaN()}}) {
    try {
      (void)fit(runs, {{key, value}});
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
      EXPECT_NE(error.message().find("'" + key + "'"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sizewise::fits

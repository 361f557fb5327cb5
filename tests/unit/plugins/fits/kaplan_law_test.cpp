#include "kaplan_law.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "made_runs.hpp"
#include "reference_data.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::has_reference;
using sizewise::testing::made_runs;
using sizewise::testing::reference_rows;

// The values of Kaplan et al. 2020, equations 1.1 and 1.2.
const Law kKaplan = {
    "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};

RobustSettings squared() {
  RobustSettings settings;
  settings.delta = std::numeric_limits<double>::infinity();
  return settings;
}

TEST(KaplanLaw, RecoversItsOwnLosses) {
  const RunTable runs = made_runs(kKaplan, 0.0, 1);
  for (const RobustSettings& settings : {RobustSettings{}, squared()}) {
    const FitResult result = fit_kaplan_law({runs, {}, nullptr}, settings);
    EXPECT_EQ(result.status, FitStatus::kIdentified);
    for (const auto& [name, value] : kKaplan.values) {
      EXPECT_NEAR(result.law.value(name) / value, 1.0, 1e-6) << name;
    }
    EXPECT_NEAR(result.a, 0.095 / 0.171, 1e-7);
    EXPECT_NEAR(result.a + result.b, 1.0, 1e-12);
  }
}

TEST(KaplanLaw, HoldsValuesAndTellsCovariance) {
  const RunTable runs = made_runs(kKaplan, 0.002, 2);
  const FitResult best = fit_kaplan_law({runs, {}, nullptr}, squared());
  EXPECT_EQ(best.parameters.size(), 4U);
  EXPECT_GT(best.dispersion, 0.0);
  // The root of the residuals' variance is the noise, to some 10 % in 44 rows.
  EXPECT_NEAR(std::sqrt(best.dispersion), 0.002, 4e-4);
  for (const auto& [key, value] : best.law.values) {
    FitInput input{runs, {}, nullptr};
    input.fixed = {{key, value * 1.01}};
    const FitResult held = fit_kaplan_law(input, squared());
    EXPECT_NEAR(held.law.value(key) / value, 1.01, 1e-12);
    EXPECT_GT(held.objective, best.objective);
    EXPECT_EQ(held.parameters.size(), 3U);
  }
  FitInput wrong{runs, {}, nullptr};
  wrong.fixed = {{"E", 1.0}};
  EXPECT_THROW((void)fit_kaplan_law(wrong, {}), Error);
}

TEST(KaplanLaw, MeetsTheFigureOfChinchilla) {
  if (!has_reference("scaling/epoch_chinchilla.csv")) {
    return;
  }
  // "Kaplan form on 240" in the README of the data.
  const RunTable runs = reference_rows("scaling/epoch_chinchilla.csv", {"keep240=1"});
  const FitResult result = fit_kaplan_law({runs, {}, nullptr}, {});
  EXPECT_LE(result.objective, 0.002663102);
  EXPECT_NEAR(std::log(result.law.value("Nc")), 29.813951, 2e-4);
  EXPECT_NEAR(std::log(result.law.value("Dc")), 31.055313, 2e-4);
  EXPECT_NEAR(result.law.value("aN"), 0.094676, 2e-6);
  EXPECT_NEAR(result.law.value("aD"), 0.114146, 2e-6);
}

TEST(KaplanLaw, NeedsMoreRowsThanParameters) {
  const RunTable few =
      made_runs(kKaplan, 0.0, 1).select(std::vector<std::size_t>{0, 12, 25, 38});
  const FitResult result = fit_kaplan_law({few, {}, nullptr}, {});
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  EXPECT_EQ(result.reasons.back().code, "few_rows");
}

}  // namespace
}  // namespace sizewise::fits

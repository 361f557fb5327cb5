#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "envelope.hpp"
#include "isoflop.hpp"
#include "kaplan_law.hpp"
#include "made_runs.hpp"
#include "parametric_fit.hpp"
#include "repeated_data_law.hpp"
#include "saturating_law.hpp"

// What no fit may depend on: the units of N, D, C and L, the order of rows, and whether
// the table stands twice.

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;

/// A fit, and what of it changes with nothing.
struct Case {
  const char* name;
  std::function<FitResult(const RunTable&)> fit;
  double tolerance;
};

FitResult parametric(const RunTable& runs, ResidualKind kind, double delta) {
  ParametricSettings settings;
  settings.residual = kind;
  settings.delta = delta;
  return fit_parametric_law({runs, {}, nullptr}, settings);
}

const std::vector<Case>& cases() {
  constexpr double kSquared = std::numeric_limits<double>::infinity();
  static const std::vector<Case> all = {
      {"approach1",
       [](const RunTable& runs) {
         return fit_envelope({runs, {}, nullptr});
       },
       1e-10},
      {"approach2",
       [](const RunTable& runs) {
         return fit_isoflop({runs, {}, nullptr}, true);
       },
       1e-8},
      {"approach3",
       [](const RunTable& runs) {
         return parametric(runs, ResidualKind::kLog, 1e-3);
       },
       1e-6},
      {"approach3 mse",
       [](const RunTable& runs) {
         return parametric(runs, ResidualKind::kLog, kSquared);
       },
       1e-6},
      {"vpnls",
       [](const RunTable& runs) {
         return parametric(runs, ResidualKind::kLinear, kSquared);
       },
       1e-6},
      {"kaplan",
       [](const RunTable& runs) {
         return fit_kaplan_law({runs, {}, nullptr}, {});
       },
       1e-6},
      {"data_constrained",
       [](const RunTable& runs) {
         return fit_repeated_data_law({runs, {}, nullptr}, {});
       },
       1e-5},
      {"power",
       [](const RunTable& runs) {
         SaturatingSettings settings;
         settings.x = "params";
         settings.y = "loss";
         settings.delta = kSquared;
         return fit_saturating_law({runs, {}, nullptr}, settings);
       },
       1e-6},
  };
  return all;
}

/// A sweep with 0.5 % noise whose runs repeat their data up to 16 times.
RunTable sweep() {
  RunTable runs = made_runs(chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), 0.005, 4);
  std::vector<double> unique;
  std::vector<double> flops;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    unique.push_back(runs.tokens()[row] / std::pow(2.0, static_cast<double>(row % 5)));
    flops.push_back(6.0 * runs.params()[row] * runs.tokens()[row]);
  }
  runs.add_numbers("unique_tokens", std::move(unique));
  runs.add_numbers("flops", std::move(flops));
  return runs;
}

/// The same table with columns in other units.
RunTable in_units(const RunTable& runs, const std::map<std::string, double>& factors) {
  RunTable other;
  for (const std::string& column : runs.columns()) {
    const auto values = runs.numbers(column);
    std::vector<double> scaled(values.begin(), values.end());
    const auto factor = factors.find(column);
    for (double& value : scaled) {
      value *= factor == factors.end() ? 1.0 : factor->second;
    }
    other.add_numbers(column, std::move(scaled));
  }
  return other;
}

void expect_same(const Case& one, const FitResult& found, const FitResult& plain) {
  EXPECT_EQ(found.status, plain.status) << one.name;
  if (std::isfinite(plain.a)) {
    EXPECT_NEAR(found.a, plain.a, one.tolerance) << one.name;
    EXPECT_NEAR(found.b, plain.b, one.tolerance) << one.name;
  }
  for (const char* key : {"alpha", "beta", "aN", "aD", "R_D", "R_N", "a"}) {
    if (plain.law.values.contains(key)) {
      EXPECT_NEAR(found.law.value(key) / plain.law.value(key), 1.0, 100.0 * one.tolerance)
          << one.name << ' ' << key;
    }
  }
}

TEST(EveryFit, DoesNotDependOnUnits) {
  const RunTable runs = sweep();
  for (const Case& one : cases()) {
    const FitResult plain = one.fit(runs);
    for (const auto& [size, data, loss] :
         {std::tuple(1e-9, 1.0, 1.0), {1e3, 1e-6, 7.0}, {1.0, 50304.0, 1e-3}}) {
      const double cost = size * data;
      const FitResult found = one.fit(in_units(runs,
                                               {{"params", size},
                                                {"tokens", data},
                                                {"unique_tokens", data},
                                                {"loss", loss},
                                                {"flops", cost},
                                                {"budget_flops", cost}}));
      expect_same(one, found, plain);
    }
    // C alone: FLOPs, petaFLOP-days.
    expect_same(one,
                one.fit(in_units(runs, {{"flops", 1.2e-20}, {"budget_flops", 1.2e-20}})),
                plain);
  }
}

TEST(EveryFit, DoesNotDependOnTheOrderOfRowsOrOnATableThatStandsTwice) {
  const RunTable runs = sweep();
  std::vector<std::size_t> shuffled(runs.rows());
  std::iota(shuffled.begin(), shuffled.end(), std::size_t{0});
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(1));
  std::vector<std::size_t> twice = shuffled;
  twice.insert(twice.end(), shuffled.begin(), shuffled.end());
  for (const Case& one : cases()) {
    const FitResult plain = one.fit(runs);
    const FitResult permuted = one.fit(runs.select(shuffled));
    expect_same(one, permuted, plain);
    EXPECT_NEAR(permuted.objective / plain.objective, 1.0, 1e-9) << one.name;
    const FitResult doubled = one.fit(runs.select(twice));
    expect_same(one, doubled, plain);
  }
}

}  // namespace
}  // namespace sizewise::fits

#include "parametric_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/build_tag.hpp"
#include "sizewise/error.hpp"

#include "chinchilla_search.hpp"
#include "made_runs.hpp"
#include "random_starts.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;

const Law kLaw = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);

FitResult fit(const RunTable& runs, const ParametricSettings& settings = {}) {
  return fit_parametric_law({runs, {}, nullptr}, settings);
}

RunTable scaled(const RunTable& runs, double params, double tokens, double loss) {
  const auto times = [](std::span<const double> values, double factor) {
    std::vector<double> result(values.begin(), values.end());
    for (double& value : result) {
      value *= factor;
    }
    return result;
  };
  RunTable result;
  result.add_numbers("params", times(runs.params(), params));
  result.add_numbers("tokens", times(runs.tokens(), tokens));
  result.add_numbers("loss", times(runs.loss(), loss));
  return result;
}

TEST(ParametricFit, RecoversANoiseFreeLaw) {
  const RunTable runs = made_runs(kLaw, 0.0, 1);
  const FitResult result = fit(runs);
  EXPECT_EQ(result.status, FitStatus::kIdentified);
  for (const auto& [name, value] : kLaw.values) {
    EXPECT_NEAR(result.law.value(name) / value, 1.0, 1e-8) << name;
  }
  EXPECT_NEAR(result.a, 0.28 / 0.62, 1e-9);
  EXPECT_EQ(result.starts_within_tenth_percent, result.starts_tried);
}

TEST(ParametricFit, DoesNotDependOnUnitsOrOrder) {
  const RunTable runs = made_runs(kLaw, 0.01, 3);
  const FitResult result = fit(runs);
  const FitResult other = fit(scaled(runs, 1e-6, 1e3, 1.0));
  EXPECT_NEAR(other.objective / result.objective, 1.0, 1e-9);
  EXPECT_NEAR(other.a, result.a, 1e-7);
  EXPECT_NEAR(other.law.value("E"), result.law.value("E"), 1e-6);
  const FitResult in_bits = fit(scaled(runs, 1.0, 1.0, 1.0 / std::log(2.0)));
  EXPECT_NEAR(in_bits.a, result.a, 1e-7);
  EXPECT_NEAR(in_bits.law.value("E") * std::log(2.0), result.law.value("E"), 1e-6);
  std::vector<std::size_t> order(runs.rows());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  EXPECT_NEAR(fit(runs.select(order)).a, result.a, 1e-7);
}

TEST(ParametricFit, TakesWeightsAsMultiplicities) {
  const RunTable runs = made_runs(kLaw, 0.01, 4);
  std::vector<double> weights(runs.rows());
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    weights[row] = static_cast<double>(row % 3);
    rows.insert(rows.end(), row % 3, row);
  }
  const FitResult best = fit(runs);
  const FitResult weighted = fit_parametric_law({runs, weights, &best}, {});
  const FitResult repeated = fit(runs.select(rows));
  EXPECT_NEAR(weighted.objective / repeated.objective, 1.0, 1e-9);
  EXPECT_NEAR(weighted.a, repeated.a, 1e-7);
}

TEST(ParametricFit, PolishesLargeTablesOnAllRows) {
  const RunTable few = made_runs(kLaw, 0.02, 6);
  std::vector<std::size_t> rows;
  for (int copy = 0; copy < 100; ++copy) {
    for (std::size_t row = 0; row < few.rows(); ++row) {
      rows.push_back(row);
    }
  }
  const FitResult result = fit(few.select(rows));
  const FitResult once = fit(few);
  EXPECT_NEAR(result.objective / (100.0 * once.objective), 1.0, 1e-9);
  EXPECT_NEAR(result.a, once.a, 1e-7);
}

TEST(ParametricFit, SaysWhyFewOrEqualRowsIdentifyNothing) {
  for (const std::size_t count : {1, 4}) {
    std::vector<std::size_t> rows(count);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    const RunTable runs = made_runs(kLaw, 0.01, 1).select(rows);
    const FitResult result = fit(runs);
    EXPECT_EQ(result.status, FitStatus::kNotIdentified);
    ASSERT_FALSE(result.reasons.empty());
    EXPECT_EQ(result.reasons[0].code, "few_rows");
    EXPECT_TRUE(std::isnan(result.a));
  }
  const RunTable same = made_runs(kLaw, 0.01, 1).select(std::vector<std::size_t>(30, 7));
  EXPECT_EQ(fit(same).status, FitStatus::kNotIdentified);
}

TEST(ParametricFit, RefusesATableWithoutRows) {
  const RunTable none = made_runs(kLaw, 0.01, 1).select({});
  EXPECT_THROW((void)fit(none), Error);
}

TEST(ParametricFit, AnyStartAndReductionGiveTheSameLaw) {
  const RunTable runs = made_runs(kLaw, 0.02, 8);
  const FitResult best = fit(runs);
  for (const std::vector<double>& start : std::vector<std::vector<double>>{
           {6, 6, -1, 0.28, 0.28}, {0, 0, -1, 0, 0}, {25, 25, 1, 2, 2}}) {
    ParametricSettings settings;
    settings.start = start;
    settings.random_starts = 7;
    settings.mean = true;
    const FitResult other = fit(runs, settings);
    EXPECT_EQ(other.starts_tried, best.starts_tried + 8);
    EXPECT_NEAR(
        other.objective * static_cast<double>(runs.rows()) / best.objective, 1.0, 1e-12);
    EXPECT_NEAR(
        other.dispersion * static_cast<double>(runs.rows()) / best.dispersion, 1.0, 1e-9);
    for (const auto& [name, value] : best.law.values) {
      EXPECT_NEAR(other.law.value(name) / value, 1.0, 1e-8) << name;
    }
  }
}

TEST(ParametricFit, SaysWhatATermWithoutUseLacks) {
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      params.push_back(1e6 * std::pow(3.0, i));
      tokens.push_back(1e8 * std::pow(3.0, j));
      // Larger models are a little worse.
      loss.push_back(2.0 + 0.001 * i + 400.0 / std::pow(tokens.back(), 0.3));
    }
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  const FitResult result = fit(runs);
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  ASSERT_FALSE(result.reasons.empty());
  EXPECT_EQ(result.reasons[0].code, "no_effect");
  EXPECT_THAT(result.reasons[0].message, ::testing::HasSubstr("params"));
}

TEST(ParametricFit, DoesNotIdentifyALawFromOneSize) {
  RunTable runs;
  runs.add_numbers("params", std::vector<double>(12, 1e6));
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int i = 0; i < 12; ++i) {
    tokens.push_back(1e6 * std::pow(2.0, i));
    loss.push_back(2.0 + 100.0 / std::pow(tokens.back(), 0.3));
  }
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  const FitResult result = fit(runs);
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  EXPECT_FALSE(result.reasons.empty());
}

// The benchmark has 1,000 tables.
TEST(ParametricFit, FindsNothingLowerFromRandomStarts) {
  // A sanitizer makes a start ten times as long.
  const int starts = std::string_view(SIZEWISE_TAG_SANITIZER) == "none" ? 4096 : 64;
  for (uint64_t table = 0; table < 20; ++table) {
    std::mt19937_64 random(table);
    std::uniform_real_distribution<double> exponent(0.1, 0.9);
    const double e = 1.0 + exponent(random);
    const double alpha = exponent(random);
    const RunTable runs =
        made_runs(chinchilla_law(e, 400, 900, alpha, exponent(random)), 0.03, table);
    const LawRows rows = law_rows({runs, {}, nullptr});
    const ChinchillaObjective objective(rows, ResidualKind::kLog, 1e-3);
    const double found = find_minimum(objective).best.value;
    ASSERT_TRUE(std::isfinite(found)) << "table " << table;
    for (const double value :
         sizewise::testing::values_from_random_starts(objective, starts, table + 1000)) {
      EXPECT_FALSE(value < found * (1.0 - 1e-9)) << "table " << table;
    }
  }
}

}  // namespace
}  // namespace sizewise::fits

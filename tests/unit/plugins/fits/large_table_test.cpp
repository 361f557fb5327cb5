#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "sizewise/optimum.hpp"

#include "jet_fit.hpp"
#include "kaplan_law.hpp"
#include "made_runs.hpp"
#include "repeated_data_law.hpp"
#include "row_sample.hpp"
#include "saturating_law.hpp"

// Tables above kSearchRows are searched on a sample and polished on all rows: what they
// find is what a search over all rows finds.

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;

// Two descents to one minimum differ by rounding.
constexpr double kSame = 1e-10;

const Law kKaplan = {
    "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};
const Law kRepeated = sizewise::testing::repeated_data_law();

/// Sizes, data and epochs spread evenly in logarithms, 1 % noise.
RunTable spread_runs(const Law& law, std::size_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> even;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> unique;
  std::vector<double> loss;
  for (std::size_t row = 0; row < rows; ++row) {
    params.push_back(1e7 * std::pow(1e3, even(random)));
    tokens.push_back(1e8 * std::pow(1e4, even(random)));
    unique.push_back(tokens.back() / std::pow(2.0, static_cast<double>(row % 6)));
    const Parameters size(params.back());
    const Units data(tokens.back());
    const Nats exact = law.form == "data_constrained"
                           ? loss_with_repeats(law, size, data, Units(unique.back()))
                           : predicted_loss(law, size, data);
    loss.push_back(exact.value() * std::exp(0.01 * normal(random)));
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("unique_tokens", unique);
  runs.add_numbers("loss", loss);
  return runs;
}

RobustSettings with_delta(double delta) {
  RobustSettings settings;
  settings.delta = delta;
  return settings;
}

TEST(LargeTable, SampleIsTheSameWhateverTheOrder) {
  const std::vector<double> first = {3, 1, 2, 1, 5, 4};
  const std::vector<double> second = {0, 2, 0, 1, 0, 0};
  EXPECT_EQ(sampled_places({first, second}, 3), (std::vector<std::size_t>{3, 2, 4}));
  EXPECT_EQ(sampled_places({first, second}, 9),
            (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values_at(first, std::vector<std::size_t>{4, 0}),
            (std::vector<double>{5, 3}));
}

TEST(LargeTable, KaplansLawIsAsLowAsASearchOverAllRows) {
  for (const double delta : {1e-3, 0.05, std::numeric_limits<double>::infinity()}) {
    const RunTable runs = spread_runs(kKaplan, 2 * kSearchRows, 1);
    const LawRows rows = law_rows({runs, {}, nullptr});
    const KaplanLaw law(rows, {});
    const double all =
        search_jet_law<4>(law, law, with_delta(delta), law.starts()).best.value;
    const FitResult found = fit_kaplan_law({runs, {}, nullptr}, with_delta(delta));
    EXPECT_LE(found.objective, all * (1.0 + kSame)) << delta;
    EXPECT_EQ(found.status, FitStatus::kIdentified);
  }
}

TEST(LargeTable, ASaturatingPowerIsAsLowAsASearchOverAllRows) {
  const RunTable runs =
      spread_runs(chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), 2 * kSearchRows, 2);
  SaturatingSettings settings;
  settings.x = "params";
  settings.y = "loss";
  settings.delta = 1e-3;
  const std::vector<double> x(runs.params().begin(), runs.params().end());
  const std::vector<double> y(runs.loss().begin(), runs.loss().end());
  const SaturatingLaw law(
      x, y, std::vector<double>(x.size(), 1.0), ResidualKind::kLog, {});
  const double all = search_jet_law<3>(law, law, settings, law.starts()).best.value;
  const FitResult found = fit_saturating_law({runs, {}, nullptr}, settings);
  EXPECT_LE(found.objective, all * (1.0 + kSame));
}

// Above the rows whose second derivatives all count.
TEST(LargeTable, RepeatedDataHaveTheMinimumOfAllRows) {
  const RunTable runs = spread_runs(kRepeated, 11'000, 3);
  const FitResult found = fit_repeated_data_law({runs, {}, nullptr}, {});
  EXPECT_EQ(found.status, FitStatus::kIdentified);
  // Nothing next to it is lower: a value of each kind held a little aside.
  for (const std::string key : {"alpha", "R_D"}) {
    const double value = found.law.value(key);
    for (const double factor : {1.0 - 1e-5, 1.0 + 1e-5}) {
      FitInput input{runs, {}, &found};
      input.fixed = {{key, value * factor}};
      const FitResult held = fit_repeated_data_law(input, {});
      EXPECT_GE(held.objective, found.objective * (1.0 - kSame)) << key;
    }
  }
  std::vector<std::size_t> order(runs.rows());
  for (std::size_t row = 0; row < order.size(); ++row) {
    order[row] = order.size() - 1 - row;
  }
  const RunTable turned = runs.select(order);
  const FitResult other = fit_repeated_data_law({turned, {}, nullptr}, {});
  EXPECT_NEAR(other.a, found.a, 1e-8);
  EXPECT_NEAR(other.objective / found.objective, 1.0, kSame);
}

}  // namespace
}  // namespace sizewise::fits

#include "envelope.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "positive_column.hpp"
#include "power_law.hpp"
#include "reference_data.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::has_reference;
using sizewise::testing::reference_rows;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Envelope, KeepsTheCornersBelowUpToTheLeastLoss) {
  // In powers of e: below the line from the first to the fourth lies the third alone; the
  // last costs more and is no better.
  const auto e = [](std::initializer_list<double> logs) {
    std::vector<double> values;
    for (const double log : logs) {
      values.push_back(std::exp(log));
    }
    return values;
  };
  const std::vector<double> flops = e({0, 1, 2, 4, 0, 5});
  const std::vector<double> loss = e({3, 2.9, 1.5, 1, 4, 1.1});
  EXPECT_THAT(envelope_rows(flops, loss), ElementsAre(0, 2, 3));
}

/// Curves of a law whose envelope is known: every budget has a checkpoint at its best
/// size.
RunTable law_curves() {
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  for (int size = 0; size < 9; ++size) {
    const double n = 1e7 * std::pow(2.0, size);
    for (int step = -8; step <= 8; ++step) {
      params.push_back(n);
      tokens.push_back(20.0 * n * std::pow(2.0, 0.25 * step));
      // The floor bends the envelope: else all its checkpoints lie on one line.
      loss.push_back(1.0 + 100.0 / std::pow(n, 0.3) +
                     100.0 * std::pow(20.0, 0.3) / std::pow(tokens.back(), 0.3));
    }
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  return runs;
}

TEST(Envelope, FollowsTheBestSizesOfALaw) {
  const RunTable runs = law_curves();
  const FitResult result = fit_envelope({runs, {}, nullptr});
  EXPECT_EQ(result.status, FitStatus::kIdentified);
  // The smallest and the largest size hold the corners beyond their own optimum.
  EXPECT_NEAR(result.a, 0.5, 0.05);
  EXPECT_NEAR(result.a + result.b, 1.0, 1e-9);
  ASSERT_EQ(result.warnings.size(), 2U);
  EXPECT_THAT(result.warnings[0], HasSubstr("6 * params * tokens"));
  EXPECT_THAT(result.warnings[1], HasSubstr("corners, of 9 of 9 sizes"));
}

TEST(Envelope, RefusesFewCornersAndHeldValues) {
  const RunTable runs = law_curves();
  std::vector<double> weights(runs.rows(), 0.0);
  weights[3] = weights[50] = 1.0;
  const FitResult result = fit_envelope({runs, weights, nullptr});
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  EXPECT_EQ(result.reasons.back().code, "few_points");
  FitInput held{runs, {}, nullptr};
  held.fixed = {{"a", 0.5}};
  EXPECT_THROW((void)fit_envelope(held), Error);
}

FitResult fit_gemstones(const tables::ColumnNames& names) {
  const RunTable runs =
      reference_rows("scaling/gemstones_curves.csv", {"experiment=hot_477"}, names);
  return fit_envelope({runs, {}, nullptr});
}

TEST(Envelope, MeetsTheFiguresOfGemstones) {
  if (!has_reference("scaling/gemstones_curves.csv")) {
    return;
  }
  // Acceptance figure T5.
  const FitResult all = fit_gemstones({});
  EXPECT_NEAR(all.a, 0.499380216, 1e-8);
  EXPECT_NEAR(std::log(all.law.value("params.coefficient")), -2.8451077, 1e-6);
  EXPECT_NEAR(all.b, 0.480988823, 1e-8);
  EXPECT_NEAR(std::log(all.law.value("tokens.coefficient")), 1.8963208, 1e-6);
  EXPECT_NEAR(fit_gemstones({{"params", "params_novocab"}}).a, 0.626862528, 1e-8);
  EXPECT_NEAR(fit_gemstones({{"params", "params_minus_one_vocab"}}).a, 0.547153742, 1e-8);
  EXPECT_NEAR(fit_gemstones({{"flops", "flops_6nd"}}).a, 0.538401, 1e-6);
  const RunTable runs =
      reference_rows("scaling/gemstones_curves.csv", {"experiment=hot_477"});
  EXPECT_EQ(envelope_rows(runs.numbers("flops"), runs.loss()).size(), 21U);
  EXPECT_THAT(all.warnings.back(), HasSubstr("the envelope has 21 corners"));
}

TEST(PowerLaw, GoesThroughExactPoints) {
  const std::vector<double> x = {1e18, 1e20, 1e22};
  const std::vector<double> y = {
      3.0 * std::pow(1e18, 0.4), 3.0 * std::pow(1e20, 0.4), 3.0 * std::pow(1e22, 0.4)};
  const PowerLaw law = power_law_through(x, y);
  EXPECT_NEAR(law.exponent, 0.4, 1e-12);
  EXPECT_NEAR(law.coefficient, 3.0, 1e-10);
  EXPECT_TRUE(std::isnan(power_law_through({}, {}).exponent));
}

}  // namespace
}  // namespace sizewise::fits

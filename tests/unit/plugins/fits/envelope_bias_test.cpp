#include "envelope_bias.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_runs.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using ::testing::HasSubstr;
using ::testing::Not;

const Law kLaw = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);
constexpr double kTrueA = 0.28 / 0.62;

/// Curves of checkpoints from one unit a parameter to a hundred, sizes from 1e7 to 1e10.
RunTable curves(int sizes, int steps, double noise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  std::vector<double> flops;
  for (int size = 0; size < sizes; ++size) {
    for (int step = 0; step < steps; ++step) {
      params.push_back(1e7 * std::pow(1e3, size / (sizes - 1.0)));
      tokens.push_back(params.back() * std::pow(100.0, step / (steps - 1.0)));
      flops.push_back(6.0 * params.back() * tokens.back());
      loss.push_back(
          predicted_loss(kLaw, Parameters(params.back()), Units(tokens.back())).value() *
          std::exp(noise * normal(random)));
    }
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  runs.add_numbers("flops", flops);
  return runs;
}

Checkpoints checkpoints_of(const RunTable& runs) {
  const auto column = [&runs](std::string_view name) {
    const auto values = runs.numbers(name);
    return std::vector<double>(values.begin(), values.end());
  };
  return {column("params"), column("tokens"), column("loss"), column("flops")};
}

TEST(EnvelopeBias, IsWhatTheMethodMissesOnLossesWithoutNoise) {
  const RunTable runs = curves(25, 40, 0.0, 0);
  const double found = fit_envelope({runs, {}, nullptr}).a;
  EXPECT_GT(kTrueA - found, 0.03);
  const EnvelopeBias bias = envelope_bias(checkpoints_of(runs), kLaw);
  EXPECT_NEAR(bias.exponent, found, 1e-12);
  EXPECT_NEAR(bias.true_exponent, kTrueA, 1e-12);
}

TEST(EnvelopeBias, CountsFlopsAsTheRowsDo) {
  Checkpoints points = checkpoints_of(curves(12, 40, 0.0, 0));
  for (std::size_t row = 0; row < points.flops.size(); ++row) {
    points.flops[row] *= std::pow(points.params[row], -0.1);
  }
  // C = k N^0.9 D.
  EXPECT_NEAR(
      envelope_bias(points, kLaw).true_exponent, 0.28 / (0.34 + 0.9 * 0.28), 1e-12);
}

TEST(EnvelopeBias, IsToldWithTheCornersAndWhatToDo) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const RunTable runs = curves(12, 40, 0.002, seed);
    const FitResult result = fit_envelope({runs, {}, nullptr});
    EXPECT_EQ(result.status, FitStatus::kIdentified);
    ASSERT_EQ(result.warnings.size(), 1U);
    const std::string& warning = result.warnings.front();
    const auto corners = envelope_rows(runs.numbers("flops"), runs.loss()).size();
    EXPECT_THAT(
        warning,
        HasSubstr("the envelope has " + std::to_string(corners) + " corners, of "));
    EXPECT_THAT(warning, HasSubstr(" of 12 sizes; bias of this method on this design"));
    EXPECT_THAT(warning, HasSubstr(" too low"));
    EXPECT_THAT(warning, HasSubstr("use approach3"));
  }
}

TEST(EnvelopeBias, IsNotKnownWhereTheRowsDoNotIdentifyTheLaw) {
  // Curves of one size and a half: too few sizes for approach3.
  const RunTable runs = curves(2, 40, 0.0, 0);
  const Checkpoints points = checkpoints_of(runs);
  const std::string text =
      describe_envelope({runs, {}, nullptr}, points, envelope_of(points));
  EXPECT_THAT(text, HasSubstr("is not known"));
  EXPECT_THAT(text, Not(HasSubstr("use approach3")));
}

TEST(EnvelopeBias, IsLeftOutOfRefits) {
  const RunTable runs = curves(12, 40, 0.002, 1);
  const FitResult best = fit_envelope({runs, {}, nullptr});
  EXPECT_TRUE(fit_envelope({runs, {}, &best}).warnings.empty());
}

}  // namespace
}  // namespace sizewise::fits

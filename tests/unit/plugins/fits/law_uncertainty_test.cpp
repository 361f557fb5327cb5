#include "law_uncertainty.hpp"

#include <cmath>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "made_runs.hpp"
#include "parametric_fit.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;

const Law kLaw = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);
constexpr double kNoise = 0.003;

ParametricSettings with_delta(double delta) {
  ParametricSettings settings;
  settings.delta = delta;
  return settings;
}

double variance_of(const FitResult& result, const std::string& key) {
  for (std::size_t i = 0; i < result.parameters.size(); ++i) {
    if (result.parameters[i] == key) {
      return result.covariance[i * result.parameters.size() + i];
    }
  }
  return FitResult::kUnknown;
}

class CovarianceTest : public ::testing::TestWithParam<double> {};

TEST_P(CovarianceTest, IsWhatRepeatedSweepsShow) {
  constexpr int kSweeps = 200;
  std::map<std::string, double> sum;
  std::map<std::string, double> squares;
  std::map<std::string, double> variance;
  double chi_squared = 0.0;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    const RunTable runs = made_runs(kLaw, kNoise, static_cast<uint64_t>(sweep));
    const FitResult result =
        fit_parametric_law({runs, {}, nullptr}, with_delta(GetParam()));
    ASSERT_EQ(result.parameters.size(), 5U);
    for (const char* key : {"E", "alpha", "beta"}) {
      const double value = result.law.value(key);
      sum[key] += value;
      squares[key] += value * value;
      variance[key] += variance_of(result, key) / kSweeps;
    }
    FitInput held{runs, {}, &result};
    held.fixed = {{"E", 1.69}};
    const FitResult profile = fit_parametric_law(held, with_delta(GetParam()));
    chi_squared +=
        2.0 * (profile.objective - result.objective) / result.dispersion / kSweeps;
  }
  for (const auto& [key, total] : sum) {
    const double seen = squares[key] / kSweeps - std::pow(total / kSweeps, 2);
    // 200 sweeps show a standard deviation to 5 %; the delta method is a first-order one.
    EXPECT_NEAR(std::sqrt(variance[key] / seen), 1.0, 0.2) << key;
  }
  EXPECT_NEAR(chi_squared, 1.0, 0.3);  // the mean of a chi-squared of one degree
}

INSTANTIATE_TEST_SUITE_P(Deltas,
                         CovarianceTest,
                         ::testing::Values(std::numeric_limits<double>::infinity(),
                                           3e-3,
                                           1e-4));

TEST(LossMoments, MeetTheirClosedFormsForNormalNoise) {
  const std::vector<double> deviations(10, 2.0);
  const std::vector<double> weights(10, 1.0);
  const LossMoments squared = moments_of_noise(
      deviations, weights, RobustLoss(std::numeric_limits<double>::infinity()));
  EXPECT_NEAR(squared.dispersion(), 4.0, 1e-12);
  // Near 0 the loss is delta |r|: E psi^2 = delta^2, E psi' = 2 delta density(0).
  const LossMoments absolute = moments_of_noise(deviations, weights, RobustLoss(1e-6));
  EXPECT_NEAR(absolute.dispersion() / 1e-6, 2.0 * std::sqrt(2 * M_PI) / 2.0, 1e-5);
  const LossMoments between = moments_of_noise(deviations, weights, RobustLoss(2.0));
  EXPECT_NEAR(between.curvature, std::erf(1.0 / std::sqrt(2.0)), 1e-12);
  // E min(z^2, 1) of a normal z, times 4: 0.5161 (tables of Huber's estimator).
  EXPECT_NEAR(between.squared_slope, 4.0 * 0.516057, 1e-4);
}

TEST(DescribeUncertainty, TakesAGivenNoise) {
  const RunTable runs = made_runs(kLaw, kNoise, 3);
  FitInput input{runs, {}, nullptr};
  const ParametricSettings settings = with_delta(std::numeric_limits<double>::infinity());
  input.noise = 0.006;
  const FitResult wide = fit_parametric_law(input, settings);
  input.noise = 0.003;
  const FitResult narrow = fit_parametric_law(input, settings);
  EXPECT_NEAR(wide.dispersion / narrow.dispersion, 4.0, 1e-9);
  EXPECT_NEAR(variance_of(wide, "alpha") / variance_of(narrow, "alpha"), 4.0, 1e-9);
}

TEST(DescribeUncertainty, LeavesOutWhatIsHeld) {
  const RunTable runs = made_runs(kLaw, kNoise, 3);
  FitInput input{runs, {}, nullptr};
  input.fixed = {{"A", 406.4}};
  const FitResult result = fit_parametric_law(input, {});
  EXPECT_EQ(result.parameters, (std::vector<std::string>{"E", "B", "alpha", "beta"}));
  EXPECT_EQ(result.covariance.size(), 16U);
  const FitResult free = fit_parametric_law({runs, {}, nullptr}, {});
  EXPECT_LT(variance_of(result, "alpha"), 0.2 * variance_of(free, "alpha"));
}

}  // namespace
}  // namespace sizewise::fits

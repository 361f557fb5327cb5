#include "law_checks.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_runs.hpp"
#include "parametric_fit.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;
using ::testing::HasSubstr;

bool has_reason(const FitResult& result, std::string_view code) {
  return std::any_of(
      result.reasons.begin(), result.reasons.end(), [code](const Reason& reason) {
        return reason.code == code;
      });
}

bool has_warning(const FitResult& result, std::string_view words) {
  return std::any_of(
      result.warnings.begin(), result.warnings.end(), [words](const std::string& text) {
        return text.find(words) != std::string::npos;
      });
}

/// The rows of a law with 1 + share * A B / (N^alpha D^beta) times its losses.
RunTable with_interaction(double share, double noise) {
  const Law law = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);
  const RunTable plain = made_runs(law, noise, 5);
  std::vector<double> loss(plain.loss().begin(), plain.loss().end());
  for (std::size_t row = 0; row < loss.size(); ++row) {
    loss[row] += share * 406.4 * std::pow(plain.params()[row], -0.34) * 410.7 *
                 std::pow(plain.tokens()[row], -0.28);
  }
  RunTable runs;
  runs.add_numbers("params", {plain.params().begin(), plain.params().end()});
  runs.add_numbers("tokens", {plain.tokens().begin(), plain.tokens().end()});
  runs.add_numbers("loss", loss);
  return runs;
}

TEST(LackOfFit, IsSilentWhereTheLawHolds) {
  int warned = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RunTable runs =
        made_runs(chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), 0.005, seed);
    const FitResult result = fit_parametric_law({runs, {}, nullptr}, {});
    warned += has_warning(result, "lack of fit") ? 1 : 0;
    EXPECT_FALSE(has_reason(result, "lack_of_fit"));
  }
  // 5 % by its level; a robust loss's ratio is rougher.
  EXPECT_LE(warned, 8);
}

TEST(LackOfFit, WarnsOfAnInteractionAndSaysHowFarTheBestSizeMoves) {
  const RunTable runs = with_interaction(1.0, 0.001);
  const FitResult result = fit_parametric_law({runs, {}, nullptr}, {});
  ASSERT_TRUE(has_warning(result, "lack of fit"));
  EXPECT_TRUE(has_warning(result, "times as large"));
}

TEST(LackOfFit, TakesAGivenNoise) {
  const RunTable runs = with_interaction(1.0, 0.001);
  FitInput input{runs, {}, nullptr};
  input.noise = 1.0;  // as much as this hides any lack of fit
  EXPECT_FALSE(has_warning(fit_parametric_law(input, {}), "lack of fit"));
}

TEST(Floor, OfZeroIsJudgedByHowHighItMayRise) {
  // Losses of a law without a floor, over a wide range: E is at its lower end, and
  // clearly not near the losses.
  const Law none = chinchilla_law(1e-9, 20.0, 30.0, 0.15, 0.15);
  FitResult seen;
  for (uint64_t seed = 0; seed < 30 && seen.law.values.empty(); ++seed) {
    const RunTable runs = made_runs(none, 0.003, seed);
    const FitResult result = fit_parametric_law({runs, {}, nullptr}, {});
    if (result.law.value("E") < 1e-6) {
      seen = result;
    }
  }
  ASSERT_FALSE(seen.law.values.empty());
  EXPECT_TRUE(has_warning(seen, "E is at its lower end"));
  EXPECT_FALSE(has_reason(seen, "unbounded_floor"));
}

}  // namespace
}  // namespace sizewise::fits

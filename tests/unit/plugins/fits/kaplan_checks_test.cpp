#include "kaplan_checks.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <gtest/gtest.h>

#include "made_runs.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::made_runs;

const Law kKaplan = {
    "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};

std::string lack_of_fit(const FitResult& result) {
  for (const std::string& warning : result.warnings) {
    if (warning.find("lack of fit") != std::string::npos) {
      return warning;
    }
  }
  return "";
}

bool is_refused_for_it(const FitResult& result) {
  return std::any_of(result.reasons.begin(), result.reasons.end(), [](const Reason& r) {
    return r.code == "lack_of_fit";
  });
}

TEST(KaplanLackOfFit, IsSaidOfLossesOfApproach3) {
  for (const double noise : {0.0, 0.003}) {
    const RunTable runs =
        made_runs(chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), noise, 1);
    const FitResult result = fit_kaplan_law({runs, {}, nullptr}, {});
    const std::string warning = lack_of_fit(result);
    EXPECT_NE(warning.find("the law of approach3"), std::string::npos);
    EXPECT_NE(warning.find("times as large"), std::string::npos);
  }
}

TEST(KaplanLackOfFit, IsRarelySaidWhereTheLawHolds) {
  int warned = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RunTable runs = made_runs(kKaplan, 0.005, seed);
    const FitResult result = fit_kaplan_law({runs, {}, nullptr}, {});
    warned += lack_of_fit(result).empty() ? 0 : 1;
    EXPECT_FALSE(is_refused_for_it(result));
  }
  // 5 % by its level, were the laws nested.
  EXPECT_LE(warned, 8);
}

TEST(KaplanLackOfFit, RefusesALawWhoseBestSizeIsFarOff) {
  // Exponents far apart, over a floor that Kaplan's law does not have.
  const RunTable runs = made_runs(chinchilla_law(1.0, 3e3, 30.0, 0.5, 0.1), 0.001, 1);
  const FitResult result = fit_kaplan_law({runs, {}, nullptr}, {});
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  EXPECT_TRUE(is_refused_for_it(result));
}

TEST(KaplanLackOfFit, TakesAGivenNoiseAndIsLeftOutOfRefits) {
  const RunTable runs =
      made_runs(chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), 0.003, 1);
  FitInput input{runs, {}, nullptr};
  input.noise = 1.0;  // as much as this hides any lack of fit
  const FitResult best = fit_kaplan_law(input, {});
  EXPECT_EQ(lack_of_fit(best), "");
  EXPECT_EQ(lack_of_fit(fit_kaplan_law({runs, {}, &best}, {})), "");
}

}  // namespace
}  // namespace sizewise::fits

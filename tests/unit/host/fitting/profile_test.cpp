#include "fitting/profile.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ProfileReport profile(const Fit& fit, const std::string& name, double level = 0.95) {
  const RunTable runs = testing::table();
  std::vector<std::size_t> places(runs.rows());
  std::iota(places.begin(), places.end(), std::size_t{0});
  FitRequest request;
  request.fit.plugin = "mean";
  request.level = level;
  const CostModel cost_model = CostModel::six_per_parameter();
  const FitJob job{runs, places, request, fit, cost_model};
  return profile_of(job, fit.fit({runs, {}, nullptr}), name);
}

TEST(ProfileOf, MeetsTheIntervalOfAMean) {
  // For a mean the profile is a parabola: mean +- root of (chi squared * variance / n).
  const double error = std::sqrt(0.01 * 0.01 * (20.0 * 21.0 / 12.0) / 20.0);
  for (const auto& [level, width] :
       {std::pair(0.95, 1.959964), std::pair(0.5, 0.674490)}) {
    const ProfileReport report = profile(testing::MeanFit(), "E", level);
    EXPECT_EQ(report.level, level);
    EXPECT_DOUBLE_EQ(report.estimate, 2.095);
    EXPECT_NEAR(report.interval.low, 2.095 - width * error, 1e-6);
    EXPECT_NEAR(report.interval.high, 2.095 + width * error, 1e-6);
    EXPECT_LT(report.refits, 60);
  }
}

/// The data say that E is below some number, and nothing else.
class OneSidedFit : public testing::MeanFit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    const double over = std::max(result.law.value("E") - 2.095, 0.0);
    result.objective = over * over;
    result.dispersion = 1.0;
    return result;
  }
};

TEST(ProfileOf, SaysWhereAnEndIsNotBounded) {
  const ProfileReport report = profile(OneSidedFit(), "E");
  EXPECT_EQ(report.interval.low, -std::numeric_limits<double>::infinity());
  EXPECT_NEAR(report.interval.high, 2.095 + std::sqrt(3.841459 / 2.0), 1e-5);
}

/// Holds E at 0 where the data do not want it.
class NoEFit : public OneSidedFit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    if (input.fixed.empty()) {
      result.law.values["E"] = 0.0;
    }
    const double e = result.law.value("E");
    result.objective = e * e;
    result.dispersion = 1.0;
    return result;
  }
};

TEST(ProfileOf, BoundsFromAboveWhatIsEstimatedAsNothing) {
  const ProfileReport report = profile(NoEFit(), "E");
  EXPECT_EQ(report.interval.low, -std::numeric_limits<double>::infinity());
  EXPECT_NEAR(report.interval.high, std::sqrt(3.841459 / 2.0), 1e-5);
}

TEST(ProfileOf, NamesTheValuesThatThereAre) {
  try {
    (void)profile(testing::MeanFit(), "gamma");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("gamma"), HasSubstr("alpha, beta")));
  }
}

/// Computes no dispersion, as a fit may.
class NoDispersionFit : public testing::MeanFit {
 public:
  [[nodiscard]] FitResult fit(const FitInput& input) const override {
    FitResult result = MeanFit::fit(input);
    result.dispersion = FitResult::kUnknown;
    return result;
  }
};

TEST(ProfileOf, ComputesNothingWithoutADispersion) {
  const ProfileReport report = profile(NoDispersionFit(), "E");
  EXPECT_TRUE(std::isnan(report.interval.low));
  EXPECT_EQ(report.refits, 0);
}

}  // namespace
}  // namespace sizewise::fitting

#include "repeated_data_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"
#include "sizewise/optimum.hpp"

#include "made_runs.hpp"

namespace sizewise::fits {
namespace {

const Law kLaw = sizewise::testing::repeated_data_law();

/// Sizes by unique data by epochs; `noise` is the standard deviation of ln L.
RunTable repeated_runs(double noise, bool with_epochs) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> epochs;
  std::vector<double> unique;
  std::vector<double> loss;
  for (const double n : {7e6, 4e7, 2e8, 1e9, 8e9}) {
    for (const double u : {1e8, 1e9, 1e10}) {
      for (const double times : {1.0, 2.0, 4.0, 16.0, 64.0}) {
        params.push_back(n);
        tokens.push_back(u * times);
        epochs.push_back(times);
        unique.push_back(u);
        loss.push_back(
            loss_with_repeats(kLaw, Parameters(n), Units(u * times), Units(u)).value() *
            std::exp(noise * normal(random)));
      }
    }
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  if (with_epochs) {
    runs.add_numbers("epochs", epochs);
  } else {
    runs.add_numbers("unique_tokens", unique);
  }
  return runs;
}

TEST(RepeatedDataLaw, RecoversItsOwnLossesFromEitherColumn) {
  for (const bool with_epochs : {true, false}) {
    const RunTable runs = repeated_runs(0.0, with_epochs);
    const FitResult result = fit_repeated_data_law({runs, {}, nullptr}, {});
    EXPECT_EQ(result.law.form, "data_constrained");
    for (const auto& [name, value] : kLaw.values) {
      EXPECT_NEAR(result.law.value(name) / value, 1.0, 1e-5) << name;
    }
    EXPECT_NEAR(result.a, 0.5, 1e-6);
    EXPECT_EQ(result.status, FitStatus::kIdentified)
        << (result.reasons.empty() ? "" : result.reasons[0].message);
  }
}

TEST(RepeatedDataLaw, HoldsValuesAndTellsCovariance) {
  const RunTable runs = repeated_runs(0.002, true);
  RobustSettings squared;
  squared.delta = std::numeric_limits<double>::infinity();
  const FitResult best = fit_repeated_data_law({runs, {}, nullptr}, squared);
  ASSERT_EQ(best.parameters.size(), 7U);
  EXPECT_NEAR(std::sqrt(best.dispersion), 0.002, 4e-4);
  for (const auto& [key, value] : best.law.values) {
    FitInput input{runs, {}, nullptr};
    input.fixed = {{key, value * 1.03}};
    const FitResult held = fit_repeated_data_law(input, squared);
    EXPECT_NEAR(held.law.value(key) / value, 1.03, 1e-9) << key;
    EXPECT_EQ(held.status, FitStatus::kIdentified) << key;
    EXPECT_GT(held.objective, best.objective) << key;
    EXPECT_EQ(held.parameters.size(), 6U) << key;
  }
  FitInput wrong{runs, {}, nullptr};
  wrong.fixed = {{"aN", 1.0}};
  EXPECT_THROW((void)fit_repeated_data_law(wrong, squared), Error);
}

TEST(RepeatedDataLaw, TakesUniqueUnitsRowByRow) {
  const RunTable epochs = repeated_runs(0.0, true);
  std::vector<double> unique;
  for (std::size_t row = 0; row < epochs.rows(); ++row) {
    // A data set larger than what was read of it; not told where data were repeated.
    unique.push_back(epochs.numbers("epochs")[row] == 1.0
                         ? 1e12
                         : std::numeric_limits<double>::quiet_NaN());
  }
  RunTable runs = epochs;
  runs.add_numbers("unique_tokens", unique);
  const FitResult result = fit_repeated_data_law({runs, {}, nullptr}, {});
  for (const auto& [name, value] : kLaw.values) {
    EXPECT_NEAR(result.law.value(name) / value, 1.0, 1e-5) << name;
  }
}

TEST(RepeatedDataLaw, NeedsToKnowHowOftenDataWereRepeated) {
  const RunTable runs = repeated_runs(0.0, true);
  RunTable without;
  for (const char* column : {"params", "tokens", "loss"}) {
    const auto values = runs.numbers(column);
    without.add_numbers(column, {values.begin(), values.end()});
  }
  EXPECT_THROW((void)fit_repeated_data_law({without, {}, nullptr}, {}), Error);
  without.add_numbers("epochs", std::vector<double>(runs.rows(), 1.0));
  const FitResult fresh = fit_repeated_data_law({without, {}, nullptr}, {});
  EXPECT_EQ(fresh.status, FitStatus::kNotIdentified);
  EXPECT_TRUE(std::any_of(fresh.reasons.begin(), fresh.reasons.end(), [](const auto& r) {
    return r.code == "no_repetition";
  }));
}

bool warns_of_lack_of_fit(const FitResult& result) {
  return std::any_of(
      result.warnings.begin(), result.warnings.end(), [](const std::string& text) {
        return text.find("lack of fit") != std::string::npos;
      });
}

TEST(RepeatedDataLaw, WarnsWhereAnInteractionFitsBetter) {
  const RunTable plain = repeated_runs(0.002, true);
  EXPECT_FALSE(warns_of_lack_of_fit(fit_repeated_data_law({plain, {}, nullptr}, {})));
  std::vector<double> loss(plain.loss().begin(), plain.loss().end());
  for (std::size_t row = 0; row < loss.size(); ++row) {
    loss[row] += 0.5 * 521.0 * std::pow(plain.params()[row], -0.353) * 1488.0 *
                 std::pow(plain.tokens()[row], -0.353);
  }
  RunTable mixed;
  for (const char* column : {"params", "tokens", "epochs"}) {
    const auto values = plain.numbers(column);
    mixed.add_numbers(column, {values.begin(), values.end()});
  }
  mixed.add_numbers("loss", loss);
  const FitResult result = fit_repeated_data_law({mixed, {}, nullptr}, {});
  const bool is_refused =
      std::any_of(result.reasons.begin(), result.reasons.end(), [](const Reason& r) {
        return r.code == "lack_of_fit";
      });
  EXPECT_TRUE(warns_of_lack_of_fit(result) || is_refused);
}

}  // namespace
}  // namespace sizewise::fits

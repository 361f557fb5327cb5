#include "fitting/residuals.hpp"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_fixture.hpp"

namespace sizewise::fitting {
namespace {

const Law kLaw{"chinchilla",
               {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
               {}};

RunTable exact_table() {
  const RunTable runs = testing::table();
  RunTable exact;
  std::vector<double> loss;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    loss.push_back(
        predicted_loss(kLaw, Parameters(runs.params()[row]), Units(runs.tokens()[row]))
            .value());
  }
  exact.add_numbers("params", {runs.params().begin(), runs.params().end()});
  exact.add_numbers("tokens", {runs.tokens().begin(), runs.tokens().end()});
  exact.add_numbers("loss", std::move(loss));
  return exact;
}

std::vector<std::size_t> all_rows(const RunTable& runs) {
  std::vector<std::size_t> places(runs.rows());
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

TEST(PredictedValues, AreTheLossesOfTheLaw) {
  const RunTable runs = exact_table();
  const std::vector<double> values = predicted_values(kLaw, runs);
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    EXPECT_NEAR(values[row], runs.loss()[row], 1e-13);
  }
}

TEST(PredictedValues, AreYOfAPowerLaw) {
  RunTable runs;
  runs.add_numbers("flops", {1, 4});
  const Law law{
      "power", {{"y_inf", 2}, {"k", 3}, {"a", 0.5}}, {{"x", "flops"}, {"y", "loss"}}};
  EXPECT_THAT(predicted_values(law, runs), ::testing::ElementsAre(5, 3.5));
}

TEST(PredictedValues, KnowHowOftenDataRepeats) {
  Law law = kLaw;
  law.form = "data_constrained";
  law.values["R_D"] = 15.0;
  law.values["R_N"] = 5.0;
  RunTable runs;
  runs.add_numbers("params", {1e8, 1e8, 1e8});
  runs.add_numbers("tokens", {4e9, 4e9, 4e9});
  runs.add_numbers("epochs", {1, 4, FitResult::kUnknown});
  const std::vector<double> by_epochs = predicted_values(law, runs);
  const double once = predicted_loss(kLaw, Parameters(1e8), Units(4e9)).value();
  EXPECT_NEAR(by_epochs[0], once, 1e-9);
  EXPECT_GT(by_epochs[1], once + 1e-4);
  EXPECT_NEAR(by_epochs[2], once, 1e-9);
  runs.add_numbers("unique_tokens", {4e9, 1e9, 4e9});
  EXPECT_NEAR(predicted_values(law, runs)[1], by_epochs[1], 1e-12);
}

TEST(PredictedLosses, FallBackOnWhatWasObserved) {
  const Law law{"allocation", {{"params.coefficient", 1}, {"params.exponent", 0.5}}, {}};
  const RunTable runs = testing::table();
  EXPECT_EQ(predicted_losses(law, runs),
            std::vector<double>(runs.loss().begin(), runs.loss().end()));
}

TEST(ResidualsOf, StandInTheLinesOfTheFile) {
  const RunTable runs = exact_table();
  FitRequest asked;
  for (uint64_t line = 2; line < 22; ++line) {
    asked.lines.push_back(line);
  }
  Law higher = kLaw;
  higher.values["E"] += 0.01;
  const std::vector<Residual> residuals =
      residuals_of(higher, runs, all_rows(runs), asked);
  ASSERT_EQ(residuals.size(), 20U);
  EXPECT_EQ(residuals[3].line, 5U);
  EXPECT_NEAR(residuals[3].error(), 0.01, 1e-12);
  EXPECT_NEAR(residuals[3].log_error(), std::log1p(0.01 / runs.loss()[3]), 1e-12);
  EXPECT_NEAR(residuals[3].flops, 6.0 * runs.params()[3] * runs.tokens()[3], 1.0);
  const Law none{"allocation", {{"params.coefficient", 1}, {"params.exponent", 1}}, {}};
  EXPECT_TRUE(residuals_of(none, runs, all_rows(runs), asked).empty());
}

TEST(FindOutliers, ListsRowsFarFromTheLawAndRefitsWithoutThem) {
  RunTable runs = testing::table();
  std::vector<double> loss(runs.loss().begin(), runs.loss().end());
  loss[7] = 9.0;
  RunTable spoilt;
  spoilt.add_numbers("params", {runs.params().begin(), runs.params().end()});
  spoilt.add_numbers("tokens", {runs.tokens().begin(), runs.tokens().end()});
  spoilt.add_numbers("loss", loss);
  const FitReport report = testing::fit_table(spoilt, testing::request());
  ASSERT_TRUE(report.outliers.has_value());
  EXPECT_EQ(report.outliers->count, 1U);
  EXPECT_EQ(report.outliers->rows[0].line, 8U);
  EXPECT_EQ(report.rows.used, 20U) << "it was used all the same";
  double sum = 0.0;
  for (std::size_t row = 0; row < loss.size(); ++row) {
    sum += row == 7 ? 0.0 : loss[row];
  }
  EXPECT_NEAR(report.outliers->law_without.value("E"), sum / 19.0, 1e-12);
}

TEST(FindOutliers, FindsNoneAmongRounding) {
  EXPECT_FALSE(
      testing::fit_table(testing::table(), testing::request()).outliers.has_value());
}

}  // namespace
}  // namespace sizewise::fitting

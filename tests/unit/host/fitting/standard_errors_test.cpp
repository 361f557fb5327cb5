#include "fitting/standard_errors.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sizewise::fitting {
namespace {

FitResult result_with_covariance() {
  FitResult result;
  result.status = FitStatus::kIdentified;
  result.law = {"chinchilla",
                {{"E", 1.8}, {"A", 480}, {"B", 2100}, {"alpha", 0.35}, {"beta", 0.37}},
                {}};
  result.parameters = {"alpha", "beta", "A"};
  result.covariance = {1e-4, 4e-5, 0.5, 4e-5, 9e-5, 0.0, 0.5, 0.0, 1e4};
  return result;
}

TEST(StandardErrors, AreTheRootsOfTheDiagonal) {
  const auto report = standard_errors(result_with_covariance(), 0.95);
  ASSERT_TRUE(report.has_value());
  EXPECT_NEAR(report->standard_error.at("alpha"), 0.01, 1e-15);
  EXPECT_NEAR(report->standard_error.at("A"), 100.0, 1e-10);
  EXPECT_EQ(report->standard_error.count("E"), 0U);
  // In logarithms: a scale never reaches below 0.
  const double factor = std::exp(1.959964 * 100.0 / 480.0);
  EXPECT_NEAR(report->interval.at("A").low, 480.0 / factor, 1e-3);
  EXPECT_NEAR(report->interval.at("A").high, 480.0 * factor, 1e-3);
}

TEST(StandardErrors, CarryOverToTheExponentsByTheDeltaMethod) {
  const auto report = standard_errors(result_with_covariance(), 0.95);
  // a = beta / (alpha + beta): slopes -beta / s^2 and alpha / s^2.
  const double s = 0.72;
  const double of_alpha = -0.37 / (s * s);
  const double of_beta = 0.35 / (s * s);
  const double error =
      std::sqrt(of_alpha * of_alpha * 1e-4 + 2.0 * of_alpha * of_beta * 4e-5 +
                of_beta * of_beta * 9e-5);
  EXPECT_NEAR(report->standard_error.at("a") / error, 1.0, 1e-6);
  EXPECT_NEAR(report->standard_error.at("b") / error, 1.0, 1e-6);
  EXPECT_NEAR(report->interval.at("a").high, 0.37 / s + 1.959964 * error, 1e-6);
}

TEST(StandardErrors, AreAbsentWhereTheFitGivesNone) {
  FitResult result = result_with_covariance();
  result.covariance.clear();
  result.parameters.clear();
  EXPECT_FALSE(standard_errors(result, 0.95).has_value());
}

TEST(GiveDeltaIntervals, MeetsTheClosedFormOfAnOptimum) {
  const FitResult result = result_with_covariance();
  const CostModel model = CostModel::six_per_parameter();
  std::vector<Optimum> optima(1);
  optima[0].question = {Question::Kind::kBudget, 1e24};
  static_cast<Training&>(optima[0]) = answer(optima[0].question, result.law, model, {});
  give_hessian_intervals(result, model, {}, 0.95, optima);
  ASSERT_TRUE(optima[0].params_interval.has_value());
  EXPECT_EQ(optima[0].interval_source, "hessian");
  EXPECT_FALSE(optima[0].budget_interval.has_value()) << "it was asked for";
  // ln N* = (ln(alpha A) - ln(beta B) + beta ln(C / 6)) / (alpha + beta).
  const double s = 0.72;
  const double log_n = std::log(optima[0].params.value());
  const double slopes[3] = {(1.0 / 0.35 - log_n) / s,
                            (-1.0 / 0.37 + std::log(1e24 / 6.0) - log_n) / s,
                            1.0 / (480.0 * s)};
  double variance = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      variance += slopes[i] * slopes[j] * result.covariance[3 * i + j];
    }
  }
  const double factor = std::exp(1.959964 * std::sqrt(variance));
  EXPECT_NEAR(
      optima[0].params_interval->high / (optima[0].params.value() * factor), 1.0, 1e-5);
}

TEST(GiveHessianIntervals, SeeBothSidesOfABend) {
  // With so much different data as the best use of the budget takes, half of the laws run
  // out of it: the delta method, at the bend, sees one side only.
  FitResult result = result_with_covariance();
  result.parameters = {"alpha", "beta"};
  result.covariance = {1e-4, 0.0, 0.0, 1e-4};
  const CostModel model = CostModel::six_per_parameter();
  const Question question{Question::Kind::kBudget, 1e24};
  const Training best = answer(question, result.law, model, {});
  Asked asked;
  asked.limits.unique_tokens = Units(1.0001 * best.tokens.value());
  std::vector<Optimum> optima(2);
  for (Optimum& optimum : optima) {
    optimum.question = question;
    static_cast<Training&>(optimum) = best;
  }
  give_hessian_intervals(result, model, asked, 0.95, optima);
  const Interval limited = optima[0].params_interval.value();
  give_hessian_intervals(result, model, {}, 0.95, optima);
  const Interval free = optima[1].params_interval.value();
  EXPECT_NEAR(std::log(limited.high / best.params.value()) /
                  std::log(free.high / best.params.value()),
              1.0,
              0.15);
  EXPECT_GT(std::log(limited.low / best.params.value()), -0.02) << "data run out there";
}

}  // namespace
}  // namespace sizewise::fitting

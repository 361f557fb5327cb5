#include "saturating_law.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::fits {
namespace {

SaturatingSettings settings_of(ResidualKind residual) {
  SaturatingSettings settings;
  settings.x = "flops";
  settings.y = "loss";
  settings.residual = residual;
  settings.delta = std::numeric_limits<double>::infinity();
  return settings;
}

RunTable power_rows(double floor, double k, double a, double noise) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 20; ++i) {
    x.push_back(1e17 * std::pow(2.0, i));
    y.push_back((floor + k * std::pow(x.back(), -a)) * std::exp(noise * normal(random)));
  }
  RunTable runs;
  runs.add_numbers("flops", x);
  runs.add_numbers("loss", y);
  return runs;
}

TEST(SaturatingLaw, RecoversFallingAndRisingPowers) {
  for (const auto& [floor, k, a] : {std::tuple(1.7, 900.0, 0.15),
                                    std::tuple(0.0, 0.08, -0.5),
                                    std::tuple(1e3, 3.85e6, -0.01),
                                    std::tuple(2.0, 1e30, 1.9)}) {
    const RunTable runs = power_rows(floor, k, a, 0.0);
    for (const ResidualKind residual : {ResidualKind::kLog, ResidualKind::kLinear}) {
      const FitResult result =
          fit_saturating_law({runs, {}, nullptr}, settings_of(residual));
      EXPECT_EQ(result.law.form, "power");
      EXPECT_EQ(result.law.texts.at("x"), "flops");
      EXPECT_NEAR(result.law.value("a"), a, 1e-5 * std::fabs(a)) << a;
      EXPECT_NEAR(result.law.value("k") / k, 1.0, 1e-3) << a;
    }
  }
}

TEST(SaturatingLaw, TellsItsStandardErrors) {
  const RunTable runs = power_rows(1.7, 900.0, 0.15, 0.003);
  const FitResult result =
      fit_saturating_law({runs, {}, nullptr}, settings_of(ResidualKind::kLog));
  ASSERT_EQ(result.parameters, (std::vector<std::string>{"y_inf", "k", "a"}));
  EXPECT_NEAR(std::sqrt(result.dispersion), 0.003, 1e-3);
  EXPECT_LT(std::fabs(result.law.value("a") - 0.15), 3 * std::sqrt(result.covariance[8]));
}

TEST(SaturatingLaw, HoldsValues) {
  const RunTable runs = power_rows(1.7, 900.0, 0.15, 0.003);
  const SaturatingSettings settings = settings_of(ResidualKind::kLog);
  const FitResult best = fit_saturating_law({runs, {}, nullptr}, settings);
  for (const auto& [key, value] : best.law.values) {
    FitInput input{runs, {}, nullptr};
    input.fixed = {{key, value}};
    const FitResult same = fit_saturating_law(input, settings);
    EXPECT_NEAR(same.objective / best.objective, 1.0, 1e-9) << key;
    input.fixed = {{key, 1.02 * value}};
    const FitResult away = fit_saturating_law(input, settings);
    EXPECT_NEAR(away.law.value(key) / value, 1.02, 1e-12);
    EXPECT_GT(away.objective, best.objective * (1.0 + 1e-6)) << key;
    EXPECT_EQ(away.parameters.size(), 2U);
  }
  FitInput wrong{runs, {}, nullptr};
  wrong.fixed = {{"E", 1.0}};
  EXPECT_THROW((void)fit_saturating_law(wrong, settings), Error);
}

TEST(SaturatingLaw, DoesNotDependOnUnits) {
  const RunTable runs = power_rows(1.7, 900.0, 0.15, 0.01);
  std::vector<double> x(runs.numbers("flops").begin(), runs.numbers("flops").end());
  std::vector<double> y(runs.loss().begin(), runs.loss().end());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] *= 1e-18;
    y[i] /= std::log(2.0);
  }
  RunTable scaled;
  scaled.add_numbers("flops", x);
  scaled.add_numbers("loss", y);
  SaturatingSettings settings = settings_of(ResidualKind::kLinear);
  const FitResult plain = fit_saturating_law({runs, {}, nullptr}, settings);
  const FitResult other = fit_saturating_law({scaled, {}, nullptr}, settings);
  EXPECT_NEAR(other.law.value("a"), plain.law.value("a"), 1e-8);
  EXPECT_NEAR(other.law.value("y_inf") * std::log(2.0), plain.law.value("y_inf"), 1e-7);
  EXPECT_NEAR(
      other.objective * std::log(2.0) * std::log(2.0) / plain.objective, 1.0, 1e-9);
}

TEST(SaturatingLaw, SaysWhyItIsNotIdentified) {
  const RunTable flat = power_rows(2.0, 0.0, 0.3, 0.0);
  const FitResult result =
      fit_saturating_law({flat, {}, nullptr}, settings_of(ResidualKind::kLog));
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  const RunTable few =
      power_rows(1.7, 900.0, 0.15, 0.0).select(std::vector<std::size_t>{0, 5, 10});
  EXPECT_EQ(fit_saturating_law({few, {}, nullptr}, settings_of(ResidualKind::kLog))
                .reasons.back()
                .code,
            "few_rows");
  SaturatingSettings absent = settings_of(ResidualKind::kLog);
  absent.x = "watts";
  EXPECT_THROW((void)fit_saturating_law({flat, {}, nullptr}, absent), Error);
}

}  // namespace
}  // namespace sizewise::fits

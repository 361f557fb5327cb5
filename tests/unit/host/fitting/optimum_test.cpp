#include <cmath>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {
namespace {

const Law kLaw{"chinchilla",
               {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
               {}};

double loss_at(const CostModel& model, double budget, double params) {
  return predicted_loss(
             kLaw, Parameters(params), model.units_for(Flops(budget), Parameters(params)))
      .value();
}

TEST(OptimumOf, MeetsTheClosedFormUnderSixPerParameter) {
  // Hoffmann et al. 2022, equation 4: N* = G (C/6)^a, a = beta / (alpha + beta).
  const double g = std::pow(0.34 * 406.4 / (0.28 * 410.7), 1.0 / 0.62);
  const double budget = 5.76e23;
  const Optimum optimum = optimum_of(kLaw, CostModel::six_per_parameter(), Flops(budget));
  EXPECT_NEAR(
      optimum.params.value() / (g * std::pow(budget / 6.0, 0.28 / 0.62)), 1.0, 1e-10);
  EXPECT_NEAR(6.0 * optimum.params.value() * optimum.tokens.value() / budget, 1.0, 1e-12);
}

TEST(OptimumOf, FindsTheLowestLossUnderACountedCost) {
  // A cost that bends: an embedding's share falls, then attention's grows.
  const CostModel model = CostModel::counted(
      {{1e6, 2e6}, {1e7, 4.5e7}, {3e7, 1.9e8}, {1e8, 6.1e8}, {1e9, 7e9}});
  for (const double budget : {1e15, 1e17, 1e18, 1e20, 1e23}) {
    const Optimum optimum = optimum_of(kLaw, model, Flops(budget));
    const double best = loss_at(model, budget, optimum.params.value());
    EXPECT_NEAR(optimum.loss.value(), best, 1e-12);
    for (double step = -8.0; step <= 8.0; step += 0.01) {
      EXPECT_GE(loss_at(model, budget, optimum.params.value() * std::exp(step)),
                best - 1e-12)
          << budget << ' ' << step;
    }
    EXPECT_NEAR(model.flops_per_unit(optimum.params) * optimum.tokens.value() / budget,
                1.0,
                1e-12);
  }
}

TEST(OptimumOf, TakesTheSizeOfAnAllocationAndSpendsTheBudget) {
  const Law law{"allocation",
                {{"params.coefficient", 0.5},
                 {"params.exponent", 0.5},
                 {"tokens.coefficient", 9.0},
                 {"tokens.exponent", 0.5}},
                {}};
  const CostModel model = CostModel::counted({{1e6, 8e6}});
  const Optimum optimum = optimum_of(law, model, Flops(1e18));
  EXPECT_NEAR(optimum.params.value(), 5e8, 1e-3);
  EXPECT_NEAR(optimum.tokens.value(), 1e18 / (8.0 * 5e8), 1e-3);
  EXPECT_TRUE(std::isnan(optimum.loss.value()));
}

TEST(OptimumOf, MinimisesOtherLawsThatPredictALoss) {
  const Law law{
      "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};
  const CostModel model = CostModel::six_per_parameter();
  const Optimum optimum = optimum_of(law, model, Flops(1e21));
  for (const double factor : {0.9, 0.99, 1.01, 1.1}) {
    const Parameters params(optimum.params.value() * factor);
    EXPECT_GT(predicted_loss(law, params, model.units_for(Flops(1e21), params)).value(),
              optimum.loss.value());
  }
}

TEST(OptimumOf, RefusesWhatNamesNoOptimum) {
  const Law power{"power", {{"y_inf", 0}, {"k", 1}, {"a", 0.5}}, {}};
  EXPECT_THROW((void)optimum_of(power, CostModel::six_per_parameter(), Flops(1e20)),
               Error);
  EXPECT_THROW((void)optimum_of(kLaw, CostModel::six_per_parameter(), Flops(0)), Error);
  EXPECT_THROW((void)optimum_of(kLaw, CostModel::six_per_parameter(), Flops(-1)), Error);
}

}  // namespace
}  // namespace sizewise::fitting

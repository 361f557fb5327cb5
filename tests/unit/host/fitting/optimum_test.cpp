#include "sizewise/optimum.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

const Law kLaw{"chinchilla",
               {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
               {}};

double loss_at(const CostModel& model, double budget, double params) {
  return predicted_loss(
             kLaw, Parameters(params), model.units_for(Flops(budget), Parameters(params)))
      .value();
}

TEST(BestForBudget, MeetsTheClosedFormUnderSixPerParameter) {
  // Hoffmann et al. 2022, equation 4: N* = G (C/6)^a, a = beta / (alpha + beta).
  const double g = std::pow(0.34 * 406.4 / (0.28 * 410.7), 1.0 / 0.62);
  const double budget = 5.76e23;
  const Training optimum =
      best_for_budget(kLaw, CostModel::six_per_parameter(), Flops(budget));
  EXPECT_NEAR(
      optimum.params.value() / (g * std::pow(budget / 6.0, 0.28 / 0.62)), 1.0, 1e-10);
  EXPECT_NEAR(6.0 * optimum.params.value() * optimum.tokens.value() / budget, 1.0, 1e-12);
}

TEST(BestForBudget, FindsTheLowestLossUnderACountedCost) {
  // A cost that bends: an embedding's share falls, then attention's grows.
  const CostModel model = CostModel::counted(
      {{1e6, 2e6}, {1e7, 4.5e7}, {3e7, 1.9e8}, {1e8, 6.1e8}, {1e9, 7e9}});
  for (const double budget : {1e15, 1e17, 1e18, 1e20, 1e23}) {
    const Training optimum = best_for_budget(kLaw, model, Flops(budget));
    const double best = loss_at(model, budget, optimum.params.value());
    EXPECT_NEAR(optimum.loss.value(), best, 1e-12);
    for (int hundredth = -800; hundredth <= 800; ++hundredth) {
      const double step = 0.01 * hundredth;
      EXPECT_GE(loss_at(model, budget, optimum.params.value() * std::exp(step)),
                best - 1e-12)
          << budget << ' ' << step;
    }
    EXPECT_NEAR(model.flops_per_unit(optimum.params) * optimum.tokens.value() / budget,
                1.0,
                1e-12);
  }
}

TEST(BestForBudget, TakesTheSizeOfAnAllocationAndSpendsTheBudget) {
  const Law law{"allocation",
                {{"params.coefficient", 0.5},
                 {"params.exponent", 0.5},
                 {"tokens.coefficient", 9.0},
                 {"tokens.exponent", 0.5}},
                {}};
  const CostModel model = CostModel::counted({{1e6, 8e6}});
  const Training optimum = best_for_budget(law, model, Flops(1e18));
  EXPECT_NEAR(optimum.params.value(), 5e8, 1e-3);
  EXPECT_NEAR(optimum.tokens.value(), 1e18 / (8.0 * 5e8), 1e-3);
  EXPECT_TRUE(std::isnan(optimum.loss.value()));
}

TEST(BestForBudget, MinimisesOtherLawsThatPredictALoss) {
  const Law law{
      "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};
  const CostModel model = CostModel::six_per_parameter();
  const Training optimum = best_for_budget(law, model, Flops(1e21));
  for (const double factor : {0.9, 0.99, 1.01, 1.1}) {
    const Parameters params(optimum.params.value() * factor);
    EXPECT_GT(predicted_loss(law, params, model.units_for(Flops(1e21), params)).value(),
              optimum.loss.value());
  }
}

TEST(BestForBudget, RefusesWhatNamesNoOptimum) {
  const Law power{"power", {{"y_inf", 0}, {"k", 1}, {"a", 0.5}}, {}};
  EXPECT_THROW((void)best_for_budget(power, CostModel::six_per_parameter(), Flops(1e20)),
               Error);
  EXPECT_THROW((void)best_for_budget(kLaw, CostModel::six_per_parameter(), Flops(0)),
               Error);
  EXPECT_THROW((void)best_for_budget(kLaw, CostModel::six_per_parameter(), Flops(-1)),
               Error);
}

TEST(BestForBudget, HoldsASizeOrAnAmountOfData) {
  const CostModel model = CostModel::counted({{1e6, 8e6}, {1e9, 7e9}});
  const Training sized =
      best_for_budget(kLaw, model, Flops(1e20), {.params = Parameters(1e8)});
  EXPECT_NEAR(sized.params.value(), 1e8, 1e-4);
  EXPECT_NEAR(
      model.flops_per_unit(sized.params) * sized.tokens.value() / 1e20, 1.0, 1e-12);
  const Training fed = best_for_budget(kLaw, model, Flops(1e20), {.tokens = Units(1e11)});
  EXPECT_NEAR(fed.tokens.value() / 1e11, 1.0, 1e-10);
  EXPECT_NEAR(model.flops_per_unit(fed.params) / 1e9, 1.0, 1e-10);
  const Training best = best_for_budget(kLaw, model, Flops(1e20));
  EXPECT_LT(best.loss, sized.loss);
  EXPECT_LT(best.loss, fed.loss);
  EXPECT_THROW(
      (void)best_for_budget(
          kLaw, model, Flops(1e20), {.params = Parameters(1e8), .tokens = Units(1e11)}),
      Error);
}

TEST(LeastForLoss, FindsTheBudgetWhoseBestLossItIs) {
  const CostModel model = CostModel::counted({{1e6, 8e6}, {1e8, 9e8}, {1e9, 7e9}});
  const Training wanted = best_for_budget(kLaw, model, Flops(3e20));
  const Training found = least_for_loss(kLaw, model, wanted.loss);
  EXPECT_NEAR(found.budget.value() / 3e20, 1.0, 1e-9);
  EXPECT_NEAR(found.params.value() / wanted.params.value(), 1.0, 1e-9);
  const Training sized =
      least_for_loss(kLaw, model, wanted.loss, {.params = Parameters(1e8)});
  EXPECT_GT(sized.budget, found.budget);
  EXPECT_NEAR(sized.loss.value(), wanted.loss.value(), 1e-12);
  const Training fed =
      least_for_loss(kLaw, model, wanted.loss, {.tokens = wanted.tokens});
  EXPECT_NEAR(fed.params.value() / wanted.params.value(), 1.0, 1e-9);
}

TEST(LeastForLoss, IsEndlessWhereTheLawDoesNotGoSoFar) {
  const CostModel model = CostModel::six_per_parameter();
  EXPECT_TRUE(std::isinf(least_for_loss(kLaw, model, Nats(1.69)).budget.value()));
  EXPECT_TRUE(std::isnan(least_for_loss(kLaw, model, Nats(1.5)).params.value()));
  EXPECT_TRUE(
      std::isinf(least_for_loss(kLaw, model, Nats(2.0), {.params = Parameters(1e6)})
                     .budget.value()));
  const Law allocation{
      "allocation", {{"params.coefficient", 0.5}, {"params.exponent", 0.5}}, {}};
  EXPECT_THROW((void)least_for_loss(allocation, model, Nats(2)), Error);
}

TEST(BestForParams, IsTheBudgetWhoseBestSizeItIs) {
  const CostModel model = CostModel::counted({{1e6, 8e6}, {1e8, 9e8}, {1e9, 7e9}});
  for (const double budget : {1e19, 1e21, 1e23}) {
    const Training best = best_for_budget(kLaw, model, Flops(budget));
    EXPECT_NEAR(
        best_for_params(kLaw, model, best.params).budget.value() / budget, 1.0, 1e-8);
    EXPECT_NEAR(
        best_for_tokens(kLaw, model, best.tokens).budget.value() / budget, 1.0, 1e-8);
  }
  const Law allocation{
      "allocation", {{"params.coefficient", 0.5}, {"params.exponent", 0.5}}, {}};
  EXPECT_NEAR(best_for_params(allocation, model, Parameters(5e8)).budget.value() / 1e18,
              1.0,
              1e-9);
}

TEST(LeastForServing, MeetsTheOptimumOfSardana) {
  // Besiroglu et al.'s law as they print it, at the quality of 13e9 parameters trained
  // best, for 2e12 units served; computed apart with scipy.
  const Law law{"chinchilla",
                {{"E", 1.8172},
                 {"A", 482.01},
                 {"B", 2085.43},
                 {"alpha", 0.34781},
                 {"beta", 0.36585}},
                {}};
  const CostModel model = CostModel::six_per_parameter();
  const Training quality = best_for_params(law, model, Parameters(13e9));
  const Serving serving = least_for_serving(law, model, quality.loss, Units(2e12));
  EXPECT_NEAR(serving.training.params.value() / 6.094e9, 1.0, 2e-4);
  EXPECT_NEAR(serving.training.tokens.value() / 7.359e11, 1.0, 2e-4);
  EXPECT_NEAR(serving.total_flops.value() / 5.1286e22, 1.0, 5e-5);
  EXPECT_NEAR(serving.trained_best_total.value() / 7.2236e22, 1.0, 5e-5);
  EXPECT_NEAR(1.0 - serving.total_flops.value() / serving.trained_best_total.value(),
              0.290,
              5e-4);
  EXPECT_NEAR(serving.training.loss.value(), quality.loss.value(), 1e-10);
}

TEST(LeastForServing, IsTheTrainingOptimumWhereNothingIsServed) {
  const CostModel model = CostModel::six_per_parameter();
  const Serving serving = least_for_serving(kLaw, model, Nats(2.2), Units(0));
  EXPECT_NEAR(
      serving.total_flops.value() / serving.trained_best.budget.value(), 1.0, 1e-9);
  EXPECT_TRUE(std::isinf(
      least_for_serving(kLaw, model, Nats(1.6), Units(1e12)).total_flops.value()));
  EXPECT_THROW((void)least_for_serving(kLaw, model, Nats(2.2), Units(-1)), Error);
}

TEST(LeastForServing, IsTheTrainingOptimumWhereNoSmallerModelReachesTheLoss) {
  // All that may differ is used by the model that is trained best: a smaller one would
  // need more. Rounding decides on which side of the loss it ends up.
  const CostModel model = CostModel::six_per_parameter();
  for (const double unique : {9e10, 1e11, 1.1e11, 1.3e11, 2e11}) {
    const Limits limits{{}, {}, Units(unique)};
    const Training best = best_for_budget(kLaw, model, Flops(1e24), limits);
    ASSERT_NEAR(best.tokens.value() / unique, 1.0, 1e-6);
    const Serving serving =
        least_for_serving(kLaw, model, best.loss, Units(1e12), limits);
    EXPECT_NEAR(serving.training.params.value() / best.params.value(), 1.0, 1e-6);
    EXPECT_NEAR(serving.training.tokens.value() / unique, 1.0, 1e-6) << unique;
    EXPECT_LE(serving.total_flops.value(), serving.trained_best_total.value());
  }
}

TEST(BestForBudget, NamesNoSizeWhereTheSearchEnds) {
  const Law kaplan{
      "kaplan", {{"Nc", 8.8e13}, {"Dc", 5.4e13}, {"aN", 0.076}, {"aD", 0.095}}, {}};
  const CostModel model = CostModel::six_per_parameter();
  const double low = best_for_budget(kaplan, model, Flops(1e30)).params.value();
  const double high = best_for_budget(kaplan, model, Flops(1e50)).params.value();
  // N* grows as C^(aD / (aN + aD)) at every size. Source: Kaplan et al. 2020, 6.1.
  EXPECT_NEAR(std::log(high / low) / std::log(1e20), 0.095 / 0.171, 1e-6);
}

Law repeated_law() {
  Law law = kLaw;
  law.form = "data_constrained";
  law.values["R_D"] = 15.387756;  // Muennighoff et al. 2023, section 5
  law.values["R_N"] = 5.309743;
  return law;
}

TEST(LossWithRepeats, MeetsTheLimitsOfItsFormula) {
  const Law law = repeated_law();
  // A model that is small for its data: none of its parameters is in excess.
  const double size = 1e8;
  const auto loss = [&](double tokens, double unique) {
    return loss_with_repeats(law, Parameters(size), Units(tokens), Units(unique)).value();
  };
  const auto fresh = [&](double params, double tokens) {
    return predicted_loss(kLaw, Parameters(params), Units(tokens)).value();
  };
  EXPECT_NEAR(loss(4e10, 4e10), fresh(size, 4e10), 1e-12) << "nothing repeats";
  // Four epochs are worth 1 + R_D (1 - exp(-3 / R_D)).
  const double worth = 1.0 + 15.387756 * -std::expm1(-3.0 / 15.387756);
  EXPECT_NEAR(loss(4e10, 1e10), fresh(size, 1e10 * worth), 1e-12);
  EXPECT_NEAR(loss(1e15, 1e10), fresh(size, 1e10 * 16.387756), 1e-9);
  // Parameters beyond the best size for the unique data are worth less.
  const double excess =
      loss_with_repeats(law, Parameters(1e11), Units(1e9), Units(1e9)).value();
  EXPECT_GT(excess, fresh(1e11, 1e9));
}

TEST(BestForBudget, TrainsASmallerModelLongerWhereDataIsScarce) {
  const CostModel model = CostModel::six_per_parameter();
  const Training free = best_for_budget(kLaw, model, Flops(1e21));
  const Limits scarce{.unique_tokens = Units(free.tokens.value() / 20.0)};
  const Training repeated = best_for_budget(repeated_law(), model, Flops(1e21), scarce);
  EXPECT_GT(repeated.loss, free.loss);
  EXPECT_GT(repeated.tokens.value(), scarce.unique_tokens->value());
  for (const double factor : {0.8, 0.98, 1.02, 1.25}) {
    const Parameters params(repeated.params.value() * factor);
    EXPECT_GT(loss_with_repeats(repeated_law(),
                                params,
                                model.units_for(Flops(1e21), params),
                                *scarce.unique_tokens),
              repeated.loss);
  }
  // A law that knows nothing of repeats takes each unit once and a larger model.
  const Training once = best_for_budget(kLaw, model, Flops(1e21), scarce);
  EXPECT_NEAR(once.tokens.value() / scarce.unique_tokens->value(), 1.0, 1e-6);
  EXPECT_GT(once.params, free.params);
}

TEST(CostModel, FindsTheLargestSizeThatCostsSoMuch) {
  const CostModel model = CostModel::counted({{10, 80}, {100, 900}, {1000, 7000}});
  for (const double params : {2.0, 10.0, 55.0, 100.0, 640.0, 5000.0}) {
    const double cost = model.flops_per_unit(Parameters(params));
    EXPECT_NEAR(model.largest_for(cost).value() / params, 1.0, 1e-10);
  }
  const CostModel flat = CostModel::counted({{10, 80}, {20, 80}});
  EXPECT_TRUE(std::isinf(flat.largest_for(80 * 1.0000001).value()));
  EXPECT_EQ(flat.largest_for(79).value(), 0.0);
}

}  // namespace
}  // namespace sizewise

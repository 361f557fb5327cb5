#include "isoflop.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "isoflop_bias.hpp"
#include "made_runs.hpp"
#include "reference_data.hpp"

namespace sizewise::fits {
namespace {

using sizewise::testing::chinchilla_law;
using sizewise::testing::has_reference;
using sizewise::testing::reference_rows;

/// Losses that are exact parabolas: the minimum of budget C at N = sqrt(C) 10^shift.
RunTable parabolas(double curvature, double shift) {
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  std::vector<double> budgets;
  for (const double budget : {1e6, 1e8, 1e10}) {
    for (const double step : {-0.5, -0.25, 0.0, 0.25, 0.5}) {
      params.push_back(std::sqrt(budget) * std::pow(10.0, step));
      tokens.push_back(budget / (6.0 * params.back()));
      budgets.push_back(budget);
      loss.push_back(3.0 + curvature * (step - shift) * (step - shift));
    }
  }
  RunTable runs;
  runs.add_numbers("params", params);
  runs.add_numbers("tokens", tokens);
  runs.add_numbers("loss", loss);
  runs.add_numbers("budget_flops", budgets);
  return runs;
}

std::vector<std::string> codes(const FitResult& result) {
  std::vector<std::string> found;
  for (const Reason& reason : result.reasons) {
    found.push_back(reason.code);
  }
  return found;
}

TEST(Isoflop, RecoversExactParabolas) {
  const RunTable runs = parabolas(0.7, 0.1);
  const FitResult result = fit_isoflop({runs, {}, nullptr}, false);
  EXPECT_EQ(result.status, FitStatus::kIdentified);
  EXPECT_NEAR(result.a, 0.5, 1e-12);
  EXPECT_NEAR(result.b, 0.5, 1e-12);
  EXPECT_NEAR(result.law.value("params.coefficient"), std::pow(10.0, 0.1), 1e-10);
  EXPECT_NEAR(result.objective, 0.0, 1e-20);
  EXPECT_NEAR(isoflop_parabolas(runs, "params", {})[0].curvature, 1.4, 1e-10);
}

TEST(Isoflop, RefusesAParabolaWithoutAMinimum) {
  const RunTable runs = parabolas(-0.7, 0.1);
  const FitResult result = fit_isoflop({runs, {}, nullptr}, true);
  EXPECT_EQ(result.status, FitStatus::kNotIdentified);
  EXPECT_THAT(codes(result), ::testing::Contains("no_minimum"));
}

TEST(Isoflop, RefusesAVertexOutsideTheSizesUnlessAllowed) {
  const RunTable runs = parabolas(0.7, 0.8);
  const FitResult refused = fit_isoflop({runs, {}, nullptr}, false);
  EXPECT_EQ(refused.status, FitStatus::kNotIdentified);
  EXPECT_THAT(codes(refused), ::testing::Contains("vertex_outside"));
  const FitResult allowed = fit_isoflop({runs, {}, nullptr}, true);
  EXPECT_EQ(allowed.status, FitStatus::kIdentified);
  EXPECT_FALSE(allowed.warnings.empty());
  EXPECT_NEAR(allowed.a, 0.5, 1e-10);
}

TEST(Isoflop, NeedsThreeBudgets) {
  const RunTable all = parabolas(0.7, 0.1);
  std::vector<double> weights(all.rows(), 1.0);
  std::fill(weights.begin() + 10, weights.end(), 0.0);
  EXPECT_THAT(codes(fit_isoflop({all, weights, nullptr}, false)),
              ::testing::Contains("few_budgets"));
  RunTable without;
  without.add_numbers("params", {1});
  without.add_numbers("tokens", {1});
  without.add_numbers("loss", {1});
  EXPECT_THROW((void)fit_isoflop({without, {}, nullptr}, false), Error);
}

TEST(Isoflop, CanHoldNoValue) {
  const RunTable runs = parabolas(0.7, 0.1);
  FitInput input{runs, {}, nullptr};
  input.fixed = {{"E", 1.0}};
  EXPECT_THROW((void)fit_isoflop(input, false), Error);
}

TEST(Isoflop, TakesWeightsAsMultiplicities) {
  const RunTable runs = sizewise::testing::made_runs(
      chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28), 0.01, 5);
  std::vector<double> weights(runs.rows(), 1.0);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    weights[row] = row % 3 == 0 ? 2.0 : 1.0;
    rows.insert(rows.end(), row % 3 == 0 ? 2 : 1, row);
  }
  const RunTable repeated = runs.select(rows);
  EXPECT_NEAR(fit_isoflop({runs, weights, nullptr}, true).a,
              fit_isoflop({repeated, {}, nullptr}, true).a,
              1e-12);
}

TEST(Isoflop, MeetsTheFiguresOfLlama3) {
  if (!has_reference("scaling/llama3_isoflop.csv")) {
    return;
  }
  // Acceptance figure T3.
  const RunTable runs = reference_rows("scaling/llama3_isoflop.csv");
  const FitResult result = fit_isoflop({runs, {}, nullptr}, false);
  EXPECT_EQ(result.status, FitStatus::kIdentified);
  EXPECT_NEAR(result.a, 0.463220873, 1e-8);
  EXPECT_NEAR(result.b, 0.536779127, 1e-8);
  EXPECT_NEAR(result.law.value("params.coefficient") *
                  std::pow(3.8e25, result.law.value("params.exponent")),
              3.933251e11,
              1e5);
}

struct Published {
  const char* file;
  std::vector<std::string> conditions;
  double a;
  double b;
};

TEST(Isoflop, MeetsTheFiguresOfOtherSets) {
  // The table "IsoFLOP sets" of the data's README, 6 digits.
  const std::vector<Published> sets = {
      {"scaling/llama3_isoflop.csv", {"oa_outlier=0"}, 0.500000, 0.500000},
      {"scaling/ml_scalefit_isoflop.csv", {}, 0.513364, 0.487858},
      {"scaling/ml_scalefit_isoflop.csv", {"oa_outlier=0"}, 0.541531, 0.456956},
      {"scaling/marin_isoflop.csv",
       {"experiment=marin_202603__comma__llama_2"},
       0.404929,
       0.572406},
      {"scaling/marin_isoflop.csv",
       {"experiment=marin_202603__dclm__llama_2"},
       0.423579,
       0.552099},
      {"scaling/marin_isoflop.csv",
       {"experiment=marin_202603__nemotron__llama_2"},
       0.422373,
       0.553199},
      {"scaling/misfitting_isoflop.csv", {"oa_outlier=0"}, 0.523381, 0.476619}};
  for (const Published& set : sets) {
    if (!has_reference(set.file)) {
      return;
    }
    const RunTable runs = reference_rows(set.file, set.conditions);
    const FitResult result = fit_isoflop({runs, {}, nullptr}, true);
    EXPECT_NEAR(result.a, set.a, 1e-6) << set.file;
    EXPECT_NEAR(result.b, set.b, 1e-6) << set.file;
  }
}

struct Biased {
  const char* set;
  Law law;
  double percent;
};

double optimal_tokens(const Law& law, double budget) {
  const double alpha = law.value("alpha");
  const double beta = law.value("beta");
  const double ratio =
      std::pow(alpha * law.value("A") / (beta * law.value("B")), 1.0 / (alpha + beta));
  return std::pow(budget / 6.0, alpha / (alpha + beta)) / ratio;
}

TEST(Isoflop, HasTheBiasThatTheoryDemands) {
  if (!has_reference("scaling/synthetic_noisefree.csv")) {
    return;
  }
  const Law chinchilla = chinchilla_law(1.69, 406.4, 410.7, 0.34, 0.28);
  const Law asymmetric = chinchilla_law(1.69, 406.4, 410.7, 0.465, 0.155);
  const Law symmetric = chinchilla_law(1.69, 400, 400, 0.31, 0.31);
  // Acceptance figure T4: the error of D*(1e24), in percent, to 1e-8 % of its own last
  // digit.
  for (const Biased& biased :
       {Biased{"Chinchilla_XL_noisefree", chinchilla, -5.100244552},
        Biased{"Asymmetric_XL_noisefree", asymmetric, -23.116308049},
        Biased{"Symmetric_XS_drift3_noisefree", symmetric, 6.070971950},
        Biased{"Symmetric_XL_offset3_noisefree", symmetric, 1.509792260}}) {
    const RunTable runs = reference_rows("scaling/synthetic_noisefree.csv",
                                         {std::string("experiment=") + biased.set});
    const FitResult result = fit_isoflop({runs, {}, nullptr}, true);
    const double found = result.law.value("tokens.coefficient") *
                         std::pow(1e24, result.law.value("tokens.exponent"));
    EXPECT_NEAR(
        100.0 * (found / optimal_tokens(biased.law, 1e24) - 1.0), biased.percent, 1e-8)
        << biased.set;
    // What the fit prints is computed from the law and the grid alone.
    const IsoflopBias bias = isoflop_bias(runs, biased.law, 1e24);
    EXPECT_NEAR(100.0 * bias.tokens, biased.percent, 1e-8) << biased.set;
    EXPECT_NEAR(bias.exponent, result.a, 1e-12) << biased.set;
    // Training that costs three times 6 N D moves no size or amount of data.
    RunTable costly;
    for (const std::string& column : runs.columns()) {
      if (runs.has_numbers(column)) {
        std::vector<double> values(runs.numbers(column).begin(),
                                   runs.numbers(column).end());
        for (double& value : values) {
          value *= column == "budget_flops" ? 3.0 : 1.0;
        }
        costly.add_numbers(column, std::move(values));
      }
    }
    const IsoflopBias same = isoflop_bias(costly, biased.law, 3e24);
    EXPECT_NEAR(same.tokens, bias.tokens, 1e-9) << biased.set;
    EXPECT_NEAR(same.true_exponent, bias.true_exponent, 1e-12) << biased.set;
    EXPECT_TRUE(std::any_of(result.warnings.begin(),
                            result.warnings.end(),
                            [](const std::string& text) {
                              return text.find("bias of parabolas") != std::string::npos;
                            }))
        << biased.set;
  }
}

}  // namespace
}  // namespace sizewise::fits

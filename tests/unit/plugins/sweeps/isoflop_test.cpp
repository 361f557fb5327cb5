#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "law_host.hpp"

namespace sizewise::testing {
namespace {

using ::testing::HasSubstr;

std::vector<Flops> budgets(std::initializer_list<double> values) {
  std::vector<Flops> list;
  for (const double value : values) {
    list.emplace_back(value);
  }
  return list;
}

std::shared_ptr<Sweep> isoflop(int64_t sizes_per_budget = 5) {
  Options options;
  options.set("sizes_per_budget", sizes_per_budget);
  return load_sweep(SIZEWISE_ISOFLOP, options);
}

/// Asks and trains until the sweep is done; the number of rounds.
int run_sweep(const Sweep& sweep, LawHost& host, Trained& trained) {
  constexpr int kMostRounds = 12;
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<TrialRequest> requests = sweep.next(trained.table(), host);
    if (requests.empty()) {
      return round;
    }
    trained.add(requests, host);
  }
  return kMostRounds;
}

/// The parameter counts sampled for a budget, ascending.
std::vector<double> sampled(const Trained& trained, double budget) {
  std::vector<double> params;
  for (std::size_t i = 0; i < trained.params.size(); ++i) {
    if (trained.budget[i] == budget && trained.status[i] == "done") {
      params.push_back(trained.params[i]);
    }
  }
  std::sort(params.begin(), params.end());
  return params;
}

struct NamedFamily {
  const char* name;
  Family family;
  std::vector<Flops> budgets;
};

/// Laws and costs that the defaults were not chosen on: optima that grow slowly and fast,
/// few and many tokens a parameter, costs far from 6N.
std::vector<NamedFamily> families() {
  std::vector<NamedFamily> all;
  const std::vector<Flops> three = budgets({1e12, 3e12, 1e13});
  all.push_back({"Chinchilla", {}, budgets({1e13, 1e14, 1e15})});
  Family slow;
  slow.alpha = 0.5;
  slow.beta = 0.22;
  slow.A = 3000;
  slow.B = 60;
  all.push_back({"SlowGrowth", slow, three});
  Family fast;
  fast.alpha = 0.25;
  fast.beta = 0.6;
  fast.A = 60;
  fast.B = 9000;
  all.push_back({"FastGrowth", fast, three});
  Family data_hungry;
  data_hungry.A = 60;
  data_hungry.B = 2000;
  all.push_back({"DataHungry", data_hungry, budgets({1e14, 1e15})});
  Family parameter_hungry;
  parameter_hungry.A = 3000;
  parameter_hungry.B = 50;
  all.push_back({"ParameterHungry", parameter_hungry, budgets({1e11, 1e13})});
  Family convolutional;
  convolutional.flops_per_unit = [](double n) {
    return 800 * std::pow(n, 0.9);
  };
  all.push_back({"Convolutional", convolutional, budgets({1e13, 4e13})});
  Family attention;
  attention.flops_per_unit = [](double n) {
    return 6 * n + 4000 * std::sqrt(n);
  };
  all.push_back({"Attention", attention, budgets({1e11, 2.5e11, 6e11})});
  Family coarse;
  coarse.sizes = {"blocks", "", 1, 400, 1};
  coarse.params = [](double blocks) {
    return 30000 * blocks;
  };
  all.push_back({"Coarse", coarse, budgets({1e14, 1e15})});
  all.push_back({"WideBudgets", {}, budgets({1e11, 1e15})});
  all.push_back({"OneBudget", {}, budgets({1e13})});
  return all;
}

class IsoflopBrackets : public ::testing::TestWithParam<NamedFamily> {};

TEST_P(IsoflopBrackets, TheTrueOptimumOfEveryBudget) {
  LawHost host(GetParam().family, GetParam().budgets);
  Trained trained;
  const int rounds = run_sweep(*isoflop(), host, trained);
  EXPECT_LE(rounds, 7) << "the sweep ends";
  for (const Flops budget : GetParam().budgets) {
    const std::vector<double> params = sampled(trained, budget.value());
    const double best = host.family().best_params(budget.value());
    ASSERT_GE(params.size(), 3U);
    EXPECT_LT(params.front(), best) << "budget " << budget.value();
    EXPECT_GT(params.back(), best) << "budget " << budget.value();
    EXPECT_LE(params.size(), 13U);
  }
}

TEST_P(IsoflopBrackets, WithAPilotOfAtMostATenth) {
  LawHost host(GetParam().family, GetParam().budgets);
  Trained trained;
  run_sweep(*isoflop(), host, trained);
  double pilot = 0;
  for (std::size_t i = 0; i < trained.flops.size(); ++i) {
    if (trained.status[i] == "pilot") {
      pilot += trained.flops[i];
      EXPECT_TRUE(std::isnan(trained.budget[i]));
    }
  }
  EXPECT_GT(pilot, 0);
  EXPECT_LE(pilot,
            0.1 * std::accumulate(trained.flops.begin(), trained.flops.end(), 0.0));
}

TEST_P(IsoflopBrackets, SpendingTheBudgetOnEveryTrial) {
  LawHost host(GetParam().family, GetParam().budgets);
  Trained trained;
  run_sweep(*isoflop(), host, trained);
  for (std::size_t i = 0; i < trained.flops.size(); ++i) {
    if (trained.status[i] == "done") {
      EXPECT_NEAR(trained.flops[i] / trained.budget[i], 1, 0.07);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Laws,
                         IsoflopBrackets,
                         ::testing::ValuesIn(families()),
                         [](const auto& one) {
                           return one.param.name;
                         });

TEST(Isoflop, AsksForDifferentSizesOfABudget) {
  LawHost host({}, budgets({1e13, 1e14}));
  Trained trained;
  run_sweep(*isoflop(7), host, trained);
  for (const double budget : {1e13, 1e14}) {
    const std::vector<double> params = sampled(trained, budget);
    EXPECT_GE(params.size(), 7U);
    EXPECT_EQ(std::set<double>(params.begin(), params.end()).size(), params.size());
  }
}

TEST(Isoflop, LooksAtNoModelFarFromAnyOptimum) {
  Family family;
  family.sizes.maximum = int64_t{1} << 26U;
  LawHost host(family, budgets({1e17, 1e18, 1e19}));
  Trained trained;
  run_sweep(*isoflop(), host, trained);
  const double largest = family.params(static_cast<double>(host.largest_described));
  // A hundredth of a unit a parameter; what the budget pays 32 steps of is 6e15.
  EXPECT_LE(largest, 1.05 * std::sqrt(1e19 / 6 / 0.01));
}

TEST(Isoflop, DependsOnItsArgumentsAlone) {
  LawHost host({}, budgets({1e13, 1e14}));
  Trained trained;
  const std::shared_ptr<Sweep> sweep = isoflop();
  trained.add(sweep->next(trained.table(), host), host);
  const std::vector<TrialRequest> once = sweep->next(trained.table(), host);
  LawHost other({}, budgets({1e13, 1e14}));
  const std::vector<TrialRequest> again = isoflop()->next(trained.table(), other);
  ASSERT_EQ(once.size(), again.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].size, again[i].size);
    EXPECT_EQ(once[i].tokens, again[i].tokens);
  }
}

TEST(Isoflop, DoesNotGoBeyondADivergedSize) {
  // The optimum lies where models diverge: the sweep must end and stay below.
  LawHost host({}, budgets({1e13}));
  const double limit = host.family().best_params(1e13) / 3;
  Trained trained;
  trained.diverges = [&](double n) {
    return n > limit;
  };
  EXPECT_LE(run_sweep(*isoflop(), host, trained), 7);
  // A pilot probes the whole reach; the rounds stay within the first one's span.
  for (std::size_t i = 0; i < trained.params.size(); ++i) {
    EXPECT_TRUE(std::isnan(trained.budget[i]) || trained.params[i] < 16 * limit)
        << trained.params[i];
  }
}

TEST(Isoflop, EndsWhereTheBestSizeIsTheSmallestAllowed) {
  Family family;
  family.sizes.minimum = 2048;
  LawHost host(family, budgets({1e13}));
  Trained trained;
  EXPECT_LE(run_sweep(*isoflop(), host, trained), 7);
  EXPECT_DOUBLE_EQ(sampled(trained, 1e13).front(), family.params(2048));
}

TEST(Isoflop, BuildsNoModelFarLargerThanABudgetPaysFor) {
  LawHost host({}, budgets({1e11}));
  Trained trained;
  run_sweep(*isoflop(), host, trained);
  const double largest =
      host.family().params(static_cast<double>(host.largest_described));
  EXPECT_LE(largest * 6 * host.least_units().value(), 20 * 1e11);
}

TEST(Isoflop, NamesTheLeastBudgetThatPaysForABatch) {
  // 392 parameters at width 4, 6 FLOPs each, a batch of 8: 18,816 FLOPs.
  LawHost host({}, budgets({1e4, 1e12}));
  try {
    static_cast<void>(isoflop()->next(RunTable(), host));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_THAT(error.message(), HasSubstr("1e+04 FLOPs is too small for one batch"));
    EXPECT_THAT(error.suggestion(), HasSubstr("1.882e+04"));
  }
  LawHost enough({}, budgets({1.9e4}));
  EXPECT_FALSE(isoflop()->next(RunTable(), enough).empty());
}

TEST(Isoflop, RefusesToRunWithoutBudgets) {
  LawHost host({}, {});
  EXPECT_THROW(static_cast<void>(isoflop()->next(RunTable(), host)), Error);
}

}  // namespace
}  // namespace sizewise::testing

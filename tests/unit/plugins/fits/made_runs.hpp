#pragma once

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "sizewise/fit.hpp"

// Tables made from a known law.

namespace sizewise::testing {

inline Law chinchilla_law(double e, double a, double b, double alpha, double beta) {
  return {
      "chinchilla", {{"E", e}, {"A", a}, {"B", b}, {"alpha", alpha}, {"beta", beta}}, {}};
}

/// About the values of Muennighoff et al. 2023, table 1 of appendix A.
inline Law repeated_data_law() {
  Law law = chinchilla_law(1.87, 521.0, 1488.0, 0.353, 0.353);
  law.form = "data_constrained";
  law.values["R_D"] = 15.4;
  law.values["R_N"] = 5.3;
  return law;
}

/// Four budgets by eleven sizes around each budget's minimum, C = 6 N D; `noise` is the
/// standard deviation of ln L.
inline RunTable made_runs(const Law& law, double noise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0.0, 1.0);
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  std::vector<double> budgets;
  for (int budget = 0; budget < 4; ++budget) {
    const double flops = 1e18 * std::pow(10.0, budget);
    for (int size = -5; size <= 5; ++size) {
      const double n = 0.2 * std::sqrt(flops / 6.0) * std::pow(2.0, 0.6 * size);
      params.push_back(n);
      tokens.push_back(flops / (6.0 * n));
      budgets.push_back(flops);
      loss.push_back(predicted_loss(law, Parameters(n), Units(tokens.back())).value() *
                     std::exp(noise * normal(random)));
    }
  }
  RunTable runs;
  runs.add_numbers("params", std::move(params));
  runs.add_numbers("tokens", std::move(tokens));
  runs.add_numbers("loss", std::move(loss));
  runs.add_numbers("budget_flops", std::move(budgets));
  return runs;
}

}  // namespace sizewise::testing

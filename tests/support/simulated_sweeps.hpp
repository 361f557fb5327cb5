#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Dense>

#include "sizewise/cost_model.hpp"
#include "sizewise/optimum.hpp"

// Sweeps of a law that is known: 4 budgets by 11 sizes, noise of 0.5 % on the loss.

namespace sizewise::testing {

struct SimulatedSweep {
  static constexpr double kNoise = 0.005;
  static constexpr double kLargestBudget = 1e21;
  static constexpr double kTarget = 10.0 * kLargestBudget;
  static constexpr int kCheckpoints = 3;       // of a run, where noise is shared
  static constexpr double kCorrelation = 0.8;  // of two checkpoints of one run

  RunTable runs;
  Law law;
};

inline Law simulated_law() {
  return {"chinchilla",
          {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", 0.34}, {"beta", 0.28}},
          {}};
}

/// @param shares_noise three checkpoints a run, at all, a half and a quarter of its data,
/// with correlated noise and a run_id; otherwise one row a run
inline SimulatedSweep simulate(uint64_t seed, bool shares_noise) {
  const Law law = simulated_law();
  const CostModel cost_model = CostModel::six_per_parameter();
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> losses;
  std::vector<std::string> run_ids;
  for (int budget = 0; budget < 4; ++budget) {
    const Flops flops(SimulatedSweep::kLargestBudget * std::pow(10.0, budget - 3));
    const double best = best_for_budget(law, cost_model, flops).params.value();
    for (int size = -5; size <= 5; ++size) {
      const double n = best * std::pow(8.0, size / 5.0);
      const double shared = normal(random);
      for (int i = 0; i < (shares_noise ? SimulatedSweep::kCheckpoints : 1); ++i) {
        const double d = flops.value() / (6.0 * n) * std::pow(0.5, i);
        const double z =
            shares_noise
                ? std::sqrt(SimulatedSweep::kCorrelation) * shared +
                      std::sqrt(1.0 - SimulatedSweep::kCorrelation) * normal(random)
                : shared;
        params.push_back(n);
        tokens.push_back(d);
        losses.push_back(predicted_loss(law, Parameters(n), Units(d)).value() *
                         std::exp(SimulatedSweep::kNoise * z));
        run_ids.push_back(std::to_string(budget) + "/" + std::to_string(size));
      }
    }
  }
  SimulatedSweep sweep;
  sweep.law = law;
  sweep.runs.add_numbers("params", std::move(params));
  sweep.runs.add_numbers("tokens", std::move(tokens));
  sweep.runs.add_numbers("loss", std::move(losses));
  if (shares_noise) {
    sweep.runs.add_texts("run_id", std::move(run_ids));
  }
  return sweep;
}

/// Widths of the 95 % intervals of a and of ln N* by the delta method with everything
/// known: the law, the noise and its correlation. For a Huber loss whose delta is far
/// below the noise, psi is its sign, so that E psi_i psi_j = 2 / pi asin(correlation) and
/// E psi' is twice the density at 0. Source: Huber 1981, Robust Statistics, section 7.6.
inline std::pair<double, double> delta_method_widths(const SimulatedSweep& sweep) {
  const auto params = sweep.runs.params();
  const auto tokens = sweep.runs.tokens();
  const auto rows = static_cast<Eigen::Index>(sweep.runs.rows());
  const double alpha = sweep.law.value("alpha");
  const double beta = sweep.law.value("beta");
  Eigen::Matrix<double, Eigen::Dynamic, 5> jacobian(rows, 5);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const double u = sweep.law.value("A") / std::pow(params[row], alpha);
    const double v = sweep.law.value("B") / std::pow(tokens[row], beta);
    const double loss = sweep.law.value("E") + u + v;
    jacobian.row(i) << sweep.law.value("E") / loss, u / loss, v / loss,
        -u / loss * std::log(params[row]), -v / loss * std::log(tokens[row]);
  }
  const bool shares_noise = sweep.runs.has_texts("run_id");
  const Eigen::Index group = shares_noise ? SimulatedSweep::kCheckpoints : 1;
  const double off_diagonal =
      2.0 / std::numbers::pi * std::asin(SimulatedSweep::kCorrelation);
  Eigen::Matrix<double, 5, 5> meat = Eigen::Matrix<double, 5, 5>::Zero();
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = group * (i / group); j < group * (i / group) + group; ++j) {
      meat +=
          (i == j ? 1.0 : off_diagonal) * jacobian.row(i).transpose() * jacobian.row(j);
    }
  }
  const Eigen::Matrix<double, 5, 5> inverse =
      (jacobian.transpose() * jacobian)
          .ldlt()
          .solve(Eigen::Matrix<double, 5, 5>::Identity());
  const double density =
      1.0 / (SimulatedSweep::kNoise * std::sqrt(2.0 * std::numbers::pi));
  const Eigen::Matrix<double, 5, 5> covariance =
      inverse * meat * inverse / (4.0 * density * density);
  // By ln E, ln A, ln B, alpha and beta.
  const double sum = alpha + beta;
  const double log_c = std::log(SimulatedSweep::kTarget / 6.0);
  const double log_n = std::log(best_for_budget(sweep.law,
                                                CostModel::six_per_parameter(),
                                                Flops(SimulatedSweep::kTarget))
                                    .params.value());
  Eigen::Matrix<double, 5, 1> of_a;
  of_a << 0, 0, 0, -beta / (sum * sum), alpha / (sum * sum);
  Eigen::Matrix<double, 5, 1> of_n;
  of_n << 0, 1 / sum, -1 / sum, (1 / alpha - log_n) / sum,
      (log_c - log_n - 1 / beta) / sum;
  const double width = 2.0 * 1.959963984540054;
  return {width * std::sqrt(of_a.dot(covariance * of_a)),
          width * std::sqrt(of_n.dot(covariance * of_n))};
}

}  // namespace sizewise::testing

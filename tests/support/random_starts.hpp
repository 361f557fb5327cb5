#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "chinchilla_objective.hpp"
#include "robust_minimizer.hpp"

// What shows that a search has missed no minimum.

namespace sizewise::testing {

/// The values that descents from random starts reach: logarithms of the three terms at
/// the middle of the rows, and of the exponents over half their range, between -6 and 3.
inline std::vector<double> values_from_random_starts(
    const fits::ChinchillaObjective& objective, int starts, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> wide(-6.0, 3.0);
  fits::RobustMinimizer<5, fits::ChinchillaObjective> minimizer(objective);
  std::vector<double> values;
  for (int start = 0; start < starts; ++start) {
    fits::LawPoint point;
    for (double& coordinate : point) {
      coordinate = wide(random);
    }
    for (int term : {1, 2}) {
      point[term] += std::exp(point[term + 2]);
      point[term + 2] += std::log(2.0);
    }
    point.head<3>() = point.head<3>().array().exp();
    values.push_back(minimizer.descend(point).value);
  }
  return values;
}

}  // namespace sizewise::testing

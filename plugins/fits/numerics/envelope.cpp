#include "envelope.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "sizewise/error.hpp"

#include "normal_matrix.hpp"
#include "positive_column.hpp"
#include "power_law.hpp"

namespace sizewise::fits {
namespace {

constexpr std::size_t kLeastPoints = 4;

/// Whether b lies above the line from a to c, or on it.
bool is_above(double ax, double ay, double bx, double by, double cx, double cy) {
  return (bx - ax) * (cy - ay) <= (cx - ax) * (by - ay);
}

std::vector<double> at_rows(const std::vector<double>& values,
                            const std::vector<std::size_t>& rows) {
  std::vector<double> picked;
  for (const std::size_t row : rows) {
    picked.push_back(values[row]);
  }
  return picked;
}

double squared_residuals(const PowerLaw& law,
                         const std::vector<double>& x,
                         const std::vector<double>& y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double r = std::log(y[i] / law.coefficient) - law.exponent * std::log(x[i]);
    sum += r * r;
  }
  return sum;
}

}  // namespace

std::vector<std::size_t> envelope_rows(std::span<const double> flops,
                                       std::span<const double> loss) {
  std::vector<std::size_t> order(flops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(flops[a], loss[a]) < std::pair(flops[b], loss[b]);
  });
  const auto x = [&](std::size_t row) {
    return std::log(flops[row]);
  };
  const auto y = [&](std::size_t row) {
    return std::log(loss[row]);
  };
  std::vector<std::size_t> hull;
  for (const std::size_t row : order) {
    if (!hull.empty() && flops[row] == flops[hull.back()]) {
      continue;  // the same FLOPs at a higher loss
    }
    while (hull.size() >= 2) {
      const std::size_t b = hull.back();
      const std::size_t a = hull[hull.size() - 2];
      if (!is_above(x(a), y(a), x(b), y(b), x(row), y(row))) {
        break;
      }
      hull.pop_back();
    }
    hull.push_back(row);
  }
  const auto least = std::min_element(hull.begin(), hull.end(), [&](auto a, auto b) {
    return loss[a] < loss[b];
  });
  if (least != hull.end()) {
    hull.erase(least + 1, hull.end());
  }
  return hull;
}

FitResult fit_envelope(const FitInput& input) {
  refuse_held_values(input);
  std::vector<std::size_t> rows = counted_rows(input);
  // Of checkpoints that tie, the same one whatever the table's order.
  const RunTable& runs = input.runs;
  std::sort(rows.begin(), rows.end(), [&runs](std::size_t a, std::size_t b) {
    return std::pair(runs.params()[a], runs.tokens()[a]) <
           std::pair(runs.params()[b], runs.tokens()[b]);
  });
  const std::vector<double> params = positive_column(input.runs, "params", rows);
  const std::vector<double> tokens = positive_column(input.runs, "tokens", rows);
  const std::vector<double> loss = positive_column(input.runs, "loss", rows);
  FitResult result;
  std::vector<double> flops;
  if (input.runs.has_numbers("flops")) {
    flops = positive_column(input.runs, "flops", rows);
  } else {
    result.warnings.emplace_back("there is no column flops: 6 * params * tokens is used");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      flops.push_back(6.0 * params[i] * tokens[i]);
    }
  }
  result.status = FitStatus::kIdentified;
  const std::vector<std::size_t> hull = envelope_rows(flops, loss);
  const std::vector<double> x = at_rows(flops, hull);
  const std::vector<double> sizes = at_rows(params, hull);
  const PowerLaw law = power_law_through(x, sizes);
  result.objective = squared_residuals(law, x, sizes);
  set_allocation(result, law, power_law_through(x, at_rows(tokens, hull)));
  if (hull.size() < kLeastPoints) {
    refuse_identification(result,
                          "few_points",
                          "the lower envelope has " + std::to_string(hull.size()) +
                              " corners; a power law needs at least " +
                              std::to_string(kLeastPoints) +
                              ": add checkpoints of more sizes");
  }
  return result;
}

}  // namespace sizewise::fits

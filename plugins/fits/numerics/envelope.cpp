#include "envelope.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "envelope_bias.hpp"
#include "normal_matrix.hpp"
#include "positive_column.hpp"
#include "row_sample.hpp"

namespace sizewise::fits {
namespace {

constexpr std::size_t kLeastPoints = 4;

/// Whether b lies above the line from a to c, or on it.
bool is_above(double ax, double ay, double bx, double by, double cx, double cy) {
  return (bx - ax) * (cy - ay) <= (cx - ax) * (by - ay);
}

/// The columns of the rows that count, in the order of N and D: of checkpoints that tie,
/// the same one whatever the table's order.
Checkpoints checkpoints_of(const FitInput& input, FitResult& result) {
  const RunTable& runs = input.runs;
  std::vector<std::size_t> rows = counted_rows(input);
  std::sort(rows.begin(), rows.end(), [&runs](std::size_t a, std::size_t b) {
    return std::pair(runs.params()[a], runs.tokens()[a]) <
           std::pair(runs.params()[b], runs.tokens()[b]);
  });
  Checkpoints points;
  points.params = positive_column(runs, "params", rows);
  points.tokens = positive_column(runs, "tokens", rows);
  points.loss = positive_column(runs, "loss", rows);
  if (runs.has_numbers("flops")) {
    points.flops = positive_column(runs, "flops", rows);
    return points;
  }
  result.warnings.emplace_back("there is no column flops: 6 * params * tokens is used");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    points.flops.push_back(6.0 * points.params[i] * points.tokens[i]);
  }
  return points;
}

/// Adds the squared residuals of ln N and, from them, the standard error of the slope.
void describe_line(const std::vector<double>& x,
                   const std::vector<double>& y,
                   Envelope& envelope) {
  const auto count = static_cast<double>(x.size());
  const PowerLaw& law = envelope.params;
  envelope.squares = 0.0;
  double mean = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double r = std::log(y[i] / law.coefficient) - law.exponent * std::log(x[i]);
    envelope.squares += r * r;
    mean += std::log(x[i]) / count;
  }
  double spread = 0.0;
  for (const double value : x) {
    spread += (std::log(value) - mean) * (std::log(value) - mean);
  }
  envelope.standard_error = std::sqrt(envelope.squares / (count - 2.0) / spread);
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

Envelope envelope_of(const Checkpoints& checkpoints) {
  Envelope envelope;
  envelope.corners = envelope_rows(checkpoints.flops, checkpoints.loss);
  const std::vector<double> x = values_at(checkpoints.flops, envelope.corners);
  const std::vector<double> sizes = values_at(checkpoints.params, envelope.corners);
  envelope.params = power_law_through(x, sizes);
  envelope.tokens = power_law_through(x, values_at(checkpoints.tokens, envelope.corners));
  describe_line(x, sizes, envelope);
  return envelope;
}

FitResult fit_envelope(const FitInput& input) {
  refuse_held_values(input);
  FitResult result;
  const Checkpoints checkpoints = checkpoints_of(input, result);
  const Envelope envelope = envelope_of(checkpoints);
  result.status = FitStatus::kIdentified;
  result.objective = envelope.squares;
  set_allocation(result, envelope.params, envelope.tokens);
  if (envelope.corners.size() < kLeastPoints) {
    refuse_identification(
        result,
        "few_points",
        "the lower envelope has " + std::to_string(envelope.corners.size()) +
            " corners; a power law needs at least " + std::to_string(kLeastPoints) +
            ": add checkpoints of more sizes");
  } else if (input.warm_start == nullptr) {  // refits tell values alone
    result.warnings.push_back(describe_envelope(input, checkpoints, envelope));
  }
  return result;
}

}  // namespace sizewise::fits

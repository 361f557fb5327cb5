#include "law_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <tuple>

#include "positive_column.hpp"

namespace sizewise::fits {
namespace {

std::vector<double> logarithms(const RunTable& runs,
                               std::string_view column,
                               const std::vector<std::size_t>& rows) {
  std::vector<double> values = positive_column(runs, column, rows);
  for (double& value : values) {
    value = std::log(value);
  }
  return values;
}

void shift(std::vector<double>& values, const Axis& axis) {
  for (double& value : values) {
    value = (value - axis.origin) / axis.scale;
  }
}

/// From 0 to 1, or all 0.
void put_on_axis(std::vector<double>& values, Axis& axis) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  axis.origin = *low;
  axis.scale = *high > *low ? *high - *low : 1.0;
  shift(values, axis);
}

void centre(std::vector<double>& values, Axis& axis) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  axis.origin = 0.5 * (*low + *high);
  shift(values, axis);
}

}  // namespace

LawRows law_rows(const FitInput& input) {
  const std::vector<std::size_t> counted = counted_rows(input);
  LawRows rows;
  rows.x = logarithms(input.runs, "params", counted);
  rows.y = logarithms(input.runs, "tokens", counted);
  rows.z = logarithms(input.runs, "loss", counted);
  rows.weight = weights_of(input, counted);
  rows.total_weight = std::accumulate(rows.weight.begin(), rows.weight.end(), 0.0);
  put_on_axis(rows.x, rows.params);
  put_on_axis(rows.y, rows.tokens);
  centre(rows.z, rows.loss);
  return rows;
}

LawRows sampled(const LawRows& rows, std::size_t most) {
  if (rows.size() <= most) {
    return rows;
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&rows](std::size_t a, std::size_t b) {
    return std::tie(rows.x[a], rows.y[a], rows.z[a], rows.weight[a]) <
           std::tie(rows.x[b], rows.y[b], rows.z[b], rows.weight[b]);
  });
  LawRows kept;
  kept.params = rows.params;
  kept.tokens = rows.tokens;
  kept.loss = rows.loss;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t row = order[i * (rows.size() - 1) / (most - 1)];
    kept.x.push_back(rows.x[row]);
    kept.y.push_back(rows.y[row]);
    kept.z.push_back(rows.z[row]);
    kept.weight.push_back(rows.weight[row]);
    kept.total_weight += rows.weight[row];
  }
  return kept;
}

}  // namespace sizewise::fits

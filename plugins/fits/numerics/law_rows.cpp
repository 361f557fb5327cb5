#include "law_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "positive_column.hpp"
#include "row_sample.hpp"

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

LawRows rows_at(const LawRows& rows, std::span<const std::size_t> places) {
  LawRows kept;
  kept.params = rows.params;
  kept.tokens = rows.tokens;
  kept.loss = rows.loss;
  kept.x = values_at(rows.x, places);
  kept.y = values_at(rows.y, places);
  kept.z = values_at(rows.z, places);
  kept.weight = values_at(rows.weight, places);
  kept.total_weight = std::accumulate(kept.weight.begin(), kept.weight.end(), 0.0);
  return kept;
}

LawRows sampled(const LawRows& rows, std::size_t most) {
  return rows.size() <= most
             ? rows
             : rows_at(rows, sampled_places({rows.x, rows.y, rows.z, rows.weight}, most));
}

}  // namespace sizewise::fits

#include "law_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>

#include "sizewise/error.hpp"

namespace sizewise::fits {
namespace {

double log_of(double value, std::string_view column, std::size_t row) {
  if (!(std::isfinite(value) && value > 0.0)) {
    throw Error(ErrorCode::kInput,
                "row " + std::to_string(row + 1) + ": '" + std::string(column) + "' is " +
                    std::to_string(value) + "; allowed: finite and above 0",
                "correct the row, or leave it out with --where");
  }
  return std::log(value);
}

void centre(std::vector<double>& values, Centred& centred, bool with_scale) {
  if (values.empty()) {
    return;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  centred.centre = 0.5 * (*low + *high);
  const double half_range = 0.5 * (*high - *low);
  centred.scale = with_scale && half_range > 0.0 ? half_range : 1.0;
  for (double& value : values) {
    value = (value - centred.centre) / centred.scale;
  }
}

}  // namespace

LawRows law_rows(const RunTable& runs, std::span<const double> weights) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  const auto loss = runs.loss();
  if (!weights.empty() && weights.size() != runs.rows()) {
    throw Error(ErrorCode::kInput,
                std::to_string(weights.size()) + " weights were given for " +
                    std::to_string(runs.rows()) + " rows");
  }
  LawRows rows;
  for (std::vector<double>* column : {&rows.x, &rows.y, &rows.z, &rows.weight}) {
    column->reserve(runs.rows());
  }
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double weight = weights.empty() ? 1.0 : weights[row];
    if (!(weight >= 0.0 && std::isfinite(weight))) {
      throw Error(ErrorCode::kInput,
                  "row " + std::to_string(row + 1) + " has weight " +
                      std::to_string(weight) + "; allowed: finite and at least 0");
    }
    if (weight == 0.0) {
      continue;
    }
    rows.x.push_back(log_of(params[row], "params", row));
    rows.y.push_back(log_of(tokens[row], "tokens", row));
    rows.z.push_back(log_of(loss[row], "loss", row));
    rows.weight.push_back(weight);
    rows.total_weight += weight;
  }
  centre(rows.x, rows.params, true);
  centre(rows.y, rows.tokens, true);
  centre(rows.z, rows.loss, false);
  return rows;
}

LawRows sampled(const LawRows& rows, std::size_t most) {
  if (rows.size() <= most) {
    return rows;
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&rows](std::size_t a, std::size_t b) {
    return std::tie(rows.x[a], rows.y[a], rows.z[a]) <
           std::tie(rows.x[b], rows.y[b], rows.z[b]);
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

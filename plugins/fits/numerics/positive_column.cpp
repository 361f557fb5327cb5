#include "positive_column.hpp"

#include <cmath>
#include <string>

#include "sizewise/error.hpp"

#include "number_text.hpp"

namespace sizewise::fits {

double checked_positive(double value, std::string_view column, std::size_t row) {
  if (!(std::isfinite(value) && value > 0.0)) {
    throw Error(ErrorCode::kInput,
                "row " + std::to_string(row + 1) + ": '" + std::string(column) + "' is " +
                    number_text(value) + "; allowed: finite and above 0",
                "correct the row, or leave it out with --where");
  }
  return value;
}

std::vector<std::size_t> counted_rows(const FitInput& input) {
  const auto& weights = input.weights;
  if (!weights.empty() && weights.size() != input.runs.rows()) {
    throw Error(ErrorCode::kInput,
                std::to_string(weights.size()) + " weights were given for " +
                    std::to_string(input.runs.rows()) + " rows");
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < input.runs.rows(); ++row) {
    const double weight = weights.empty() ? 1.0 : weights[row];
    if (!(weight >= 0.0 && std::isfinite(weight))) {
      throw Error(ErrorCode::kInput,
                  "row " + std::to_string(row + 1) + " has weight " +
                      number_text(weight) + "; allowed: finite and at least 0");
    }
    if (weight > 0.0) {
      rows.push_back(row);
    }
  }
  if (rows.empty()) {
    throw Error(ErrorCode::kInput,
                "no row counts: there is nothing to fit",
                "check --where, and the column status: only rows that are done count");
  }
  return rows;
}

std::vector<double> positive_column(const RunTable& runs,
                                    std::string_view column,
                                    const std::vector<std::size_t>& rows) {
  const auto values = runs.numbers(column);
  std::vector<double> picked;
  picked.reserve(rows.size());
  for (const std::size_t row : rows) {
    picked.push_back(checked_positive(values[row], column, row));
  }
  return picked;
}

std::vector<double> weights_of(const FitInput& input,
                               const std::vector<std::size_t>& rows) {
  std::vector<double> weights;
  weights.reserve(rows.size());
  for (const std::size_t row : rows) {
    weights.push_back(input.weights.empty() ? 1.0 : input.weights[row]);
  }
  return weights;
}

void refuse_held_values(const FitInput& input) {
  if (!input.fixed.empty()) {
    throw Error(ErrorCode::kConfiguration,
                "this fit cannot hold '" + input.fixed.begin()->first + "'",
                "fits that hold values are approach3, vpnls, kaplan, power and "
                "data_constrained");
  }
}

}  // namespace sizewise::fits

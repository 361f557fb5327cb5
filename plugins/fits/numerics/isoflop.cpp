#include "isoflop.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <Eigen/QR>

#include "isoflop_bias.hpp"
#include "normal_matrix.hpp"
#include "number_text.hpp"
#include "positive_column.hpp"
#include "power_law.hpp"

namespace sizewise::fits {
namespace {

constexpr int kLeastDistinct = 3;
constexpr std::size_t kLeastBudgets = 3;

/// One budget's rows: decimal logarithm of the column, loss, weight.
struct Group {
  std::vector<double> logs;
  std::vector<double> loss;
  std::vector<double> weight;
};

std::map<double, Group> groups_of(const RunTable& runs,
                                  std::string_view column,
                                  std::span<const double> weights) {
  const auto budgets = runs.numbers("budget_flops");
  const auto values = runs.numbers(column);
  const auto losses = runs.loss();
  std::map<double, Group> groups;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double weight = weights.empty() ? 1.0 : weights[row];
    if (weight == 0.0 || std::isnan(budgets[row])) {
      continue;
    }
    Group& group = groups[checked_positive(budgets[row], "budget_flops", row)];
    group.logs.push_back(std::log10(checked_positive(values[row], column, row)));
    group.loss.push_back(checked_positive(losses[row], "loss", row));
    group.weight.push_back(weight);
  }
  return groups;
}

Parabola parabola_of(double budget, const Group& group) {
  const auto [low, high] = std::minmax_element(group.logs.begin(), group.logs.end());
  const double centre = 0.5 * (*low + *high);
  const double scale = 0.5 * (*high - *low);
  const auto rows = static_cast<Eigen::Index>(group.logs.size());
  Eigen::MatrixX3d design(rows, 3);
  Eigen::VectorXd target(rows);
  for (Eigen::Index row = 0; row < rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    const double root = std::sqrt(group.weight[i]);
    const double u = (group.logs[i] - centre) / scale;
    design.row(row) << root, root * u, root * u * u;
    target[row] = root * group.loss[i];
  }
  const Eigen::Vector3d c = design.colPivHouseholderQr().solve(target);
  Parabola parabola;
  parabola.budget = budget;
  parabola.curvature = 2.0 * c[2] / (scale * scale);
  parabola.vertex = std::pow(10.0, centre - scale * c[1] / (2.0 * c[2]));
  parabola.least = std::pow(10.0, *low);
  parabola.most = std::pow(10.0, *high);
  parabola.residual = (design * c - target).squaredNorm();
  return parabola;
}

void judge_parabola(const Parabola& parabola,
                    const char* column,
                    bool allow_outside,
                    FitResult& result) {
  const std::string where =
      "budget " + number_text(parabola.budget) + ": the parabola over " + column;
  if (!parabola.has_minimum()) {
    refuse_identification(result,
                          "no_minimum",
                          where + " has no minimum (its curvature is " +
                              number_text(parabola.curvature) +
                              "): add sizes on both sides of the best one");
  } else if (!parabola.is_inside()) {
    const std::string message = where + " turns at " + number_text(parabola.vertex) +
                                ", outside the values sampled (" +
                                number_text(parabola.least) + " to " +
                                number_text(parabola.most) + ")";
    if (allow_outside) {
      result.warnings.push_back(message);
    } else {
      refuse_identification(result,
                            "vertex_outside",
                            message +
                                ": add sizes beyond it, or allow it with "
                                "--fit-option allow_outside_vertex=true");
    }
  }
}

/// The power law of one column's vertices, with judgement; counts the residuals.
PowerLaw allocation_of(const std::vector<Parabola>& parabolas,
                       const char* column,
                       bool allow_outside,
                       FitResult& result) {
  std::vector<double> budgets;
  std::vector<double> vertices;
  for (const Parabola& parabola : parabolas) {
    judge_parabola(parabola, column, allow_outside, result);
    result.objective += parabola.residual;
    if (parabola.has_minimum() && std::isfinite(parabola.vertex)) {
      budgets.push_back(parabola.budget);
      vertices.push_back(parabola.vertex);
    }
  }
  if (budgets.size() < kLeastBudgets) {
    refuse_identification(
        result,
        "few_budgets",
        std::to_string(budgets.size()) + " budgets have a minimum over " + column +
            "; a power law needs at least " + std::to_string(kLeastBudgets) +
            ": add budgets, each with three sizes or more");
  }
  return power_law_through(budgets, vertices);
}

}  // namespace

std::vector<Parabola> isoflop_parabolas(const RunTable& runs,
                                        std::string_view column,
                                        std::span<const double> weights) {
  std::vector<Parabola> parabolas;
  for (const auto& [budget, group] : groups_of(runs, column, weights)) {
    const auto distinct =
        static_cast<int>(std::set<double>(group.logs.begin(), group.logs.end()).size());
    if (distinct >= kLeastDistinct) {
      parabolas.push_back(parabola_of(budget, group));
      parabolas.back().distinct = distinct;
    }
  }
  return parabolas;
}

FitResult fit_isoflop(const FitInput& input, bool allow_outside_vertex) {
  FitResult result;
  result.status = FitStatus::kIdentified;
  result.objective = 0.0;
  refuse_held_values(input);
  (void)counted_rows(input);
  const auto over_params = isoflop_parabolas(input.runs, "params", input.weights);
  const auto over_tokens = isoflop_parabolas(input.runs, "tokens", input.weights);
  const PowerLaw params =
      allocation_of(over_params, "params", allow_outside_vertex, result);
  const double residual = result.objective;
  const PowerLaw tokens =
      allocation_of(over_tokens, "tokens", allow_outside_vertex, result);
  result.objective = residual;
  set_allocation(result, params, tokens);
  if (input.warm_start == nullptr) {
    const auto bias = describe_isoflop_bias(input);
    if (bias) {
      result.warnings.push_back(*bias);
    }
  }
  return result;
}

}  // namespace sizewise::fits

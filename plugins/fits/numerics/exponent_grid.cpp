#include "exponent_grid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <Eigen/Cholesky>

#include "grid_sums.hpp"
#include "robust_columns.hpp"

namespace sizewise::fits {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

constexpr int kSteps = 28;
constexpr double kLeastRate = 0.01;  // of ln N over its range: nearly a straight line
constexpr double kMostRate = 60.0;   // the smallest N alone stands out
constexpr int kReweightings = 5;
constexpr std::size_t kBlock = 5;
constexpr std::size_t kLowest = 12;

/// The rates of one axis: logarithmic steps, then the largest allowed; or the one held.
std::vector<double> rates_of(const Box<5>& box, int coordinate) {
  const double most = std::exp(box.upper[coordinate]);
  if (box.lower[coordinate] == box.upper[coordinate]) {
    return {most};
  }
  std::vector<double> rates;
  const double last = std::min(kMostRate, 0.9 * most);
  for (int step = 0; step < kSteps; ++step) {
    rates.push_back(kLeastRate * std::pow(last / kLeastRate,
                                          static_cast<double>(step) / (kSteps - 1)));
  }
  rates.push_back(most);
  return rates;
}

/// exp(-rate x) for every rate and row; 1 past the last row.
std::vector<std::vector<double>> powers(const std::vector<double>& rates,
                                        const std::vector<double>& x) {
  std::vector<std::vector<double>> table;
  for (const double rate : rates) {
    std::vector<double>& values = table.emplace_back(padded(x.size()), 1.0);
    std::transform(x.begin(), x.end(), values.begin(), [rate](double at) {
      return std::exp(-rate * at);
    });
  }
  return table;
}

GridColumns grid_columns(const ChinchillaObjective& objective) {
  const LawRows& rows = objective.rows();
  const bool is_log = objective.kind() == ResidualKind::kLog;
  const std::vector<double> ones(padded(rows.size()), 1.0);
  GridColumns columns{std::vector<double>(ones.size(), 0.0), ones, ones};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    columns.weight[i] = rows.weight[i];
    columns.per[i] = is_log ? std::exp(-rows.z[i]) : 1.0;
    columns.target[i] = is_log ? 1.0 : std::exp(rows.z[i]);
  }
  return columns;
}

/// Minimises c'Mc/2 - v'c over c >= 0 with some of c held: of all sets of free terms, the
/// best feasible one.
Vector3d non_negative_solution(const NormalEquations& equations,
                               const HeldValues& held,
                               const Vector3d& values) {
  const auto& [matrix, vector] = equations;
  Vector3d best = values;
  double best_value = 0.5 * best.dot(matrix * best) - vector.dot(best);
  for (unsigned set = 7; set > 0; --set) {
    Matrix3d kept = matrix;
    Vector3d right = vector - matrix * values;
    bool is_allowed = true;
    for (int term = 0; term < 3; ++term) {
      if ((set >> static_cast<unsigned>(term) & 1U) == 0U) {
        kept.row(term).setZero();
        kept.col(term).setZero();
        kept(term, term) = 1.0;
        right[term] = 0.0;
      } else if (held.holds(term)) {
        is_allowed = false;
      }
    }
    if (!is_allowed) {
      continue;
    }
    kept.diagonal() *= 1.0 + 1e-13;
    const Vector3d solution = values + kept.llt().solve(right);
    if (!solution.allFinite() || solution.minCoeff() < 0.0) {
      continue;
    }
    if (set == 7) {
      return solution;  // the least without bounds is the least within them
    }
    const double value = 0.5 * solution.dot(matrix * solution) - vector.dot(solution);
    if (value < best_value) {
      best = solution;
      best_value = value;
    }
  }
  return best;
}

class Profile {
 public:
  explicit Profile(const ChinchillaObjective& objective)
      : objective_(&objective), columns_(grid_columns(objective)) {}

  [[nodiscard]] GridNode node(double rate_n,
                              double rate_d,
                              const std::vector<double>& u,
                              const std::vector<double>& v) const {
    GridNode node;
    node.point << 0.0, 0.0, 0.0, std::log(rate_n), std::log(rate_d);
    const HeldValues& held = objective_->held();
    node.point = held.resolve(node.point);
    const Vector3d values = node.point.head<3>();
    Vector3d terms = values;
    double delta = std::numeric_limits<double>::infinity();
    const int reweightings = std::isfinite(objective_->delta()) ? kReweightings : 0;
    for (int pass = 0; pass <= reweightings; ++pass) {
      const NormalEquations equations =
          reweighted_equations(columns_, u, v, terms, delta);
      terms = non_negative_solution(equations, held, values);
      delta = objective_->delta();
    }
    node.point.head<3>() = terms;
    node.value = grid_value(columns_,
                            u,
                            v,
                            terms,
                            objective_->delta(),
                            objective_->kind() == ResidualKind::kLog);
    return node;
  }

 private:
  const ChinchillaObjective* objective_;
  GridColumns columns_;
};

}  // namespace

ExponentGrid::ExponentGrid(const ChinchillaObjective& objective)
    : is_profile_(objective.kind() == ResidualKind::kLinear &&
                  !std::isfinite(objective.delta())) {
  const Box<5> box = objective.box();
  const std::vector<double> rates_n = rates_of(box, 3);
  const std::vector<double> rates_d = rates_of(box, 4);
  const auto us = powers(rates_n, objective.rows().x);
  const auto vs = powers(rates_d, objective.rows().y);
  const Profile profile(objective);
  side_a_ = rates_n.size();
  side_b_ = rates_d.size();
  nodes_.reserve(side_a_ * side_b_);
  for (std::size_t i = 0; i < side_a_; ++i) {
    for (std::size_t j = 0; j < side_b_; ++j) {
      nodes_.push_back(profile.node(rates_n[i], rates_d[j], us[i], vs[j]));
    }
  }
}

bool ExponentGrid::is_local_minimum(std::size_t i, std::size_t j) const {
  for (std::size_t p = i > 0 ? i - 1 : 0; p < std::min(i + 2, side_a_); ++p) {
    for (std::size_t q = j > 0 ? j - 1 : 0; q < std::min(j + 2, side_b_); ++q) {
      if (at(p, q).value < at(i, j).value) {
        return false;
      }
    }
  }
  return true;
}

std::vector<GridNode> ExponentGrid::starts() const {
  const auto is_lower = [this](std::size_t a, std::size_t b) {
    // A node without a value comes last.
    const double value_a = nodes_[a].value;
    const double value_b = nodes_[b].value;
    return std::isnan(value_b)  ? !std::isnan(value_a) || a < b
           : value_a == value_b ? a < b
                                : value_a < value_b;
  };
  std::vector<std::size_t> order(nodes_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), is_lower);
  const std::size_t blocks_b = (side_b_ + kBlock - 1) / kBlock;
  std::vector<bool> is_block_done(((side_a_ + kBlock - 1) / kBlock) * blocks_b, false);
  std::vector<GridNode> chosen;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const std::size_t i = order[rank] / side_b_;
    const std::size_t j = order[rank] % side_b_;
    const std::size_t block = i / kBlock * blocks_b + j / kBlock;
    const bool is_lowest_of_block = !is_block_done[block] && !is_profile_;
    if (rank < kLowest || is_lowest_of_block || is_local_minimum(i, j)) {
      chosen.push_back(nodes_[order[rank]]);
    }
    is_block_done[block] = true;
  }
  return chosen;
}

}  // namespace sizewise::fits

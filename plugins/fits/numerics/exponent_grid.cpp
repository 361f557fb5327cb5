#include "exponent_grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <Eigen/Cholesky>

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

/// exp(-rate x) for every rate and row.
std::vector<std::vector<double>> powers(const std::vector<double>& rates,
                                        const std::vector<double>& x) {
  std::vector<std::vector<double>> table;
  for (const double rate : rates) {
    std::vector<double>& values = table.emplace_back(x);
    for (double& value : values) {
      value = std::exp(-rate * value);
    }
  }
  return table;
}

/// What every node shares: the factors that make residuals of L relative, and L.
struct Scales {
  std::vector<double> per;
  std::vector<double> target;  // L times that
};

Scales scales_of(const ChinchillaObjective& objective) {
  const bool is_log = objective.kind() == ResidualKind::kLog;
  Scales scales;
  for (const double z : objective.rows().z) {
    scales.per.push_back(is_log ? std::exp(-z) : 1.0);
    scales.target.push_back(is_log ? 1.0 : std::exp(z));
  }
  return scales;
}

/// Minimises c'Mc/2 - v'c over c >= 0 with some of c held: of all sets of free terms, the
/// best feasible one.
Vector3d non_negative_solution(const Matrix3d& matrix,
                               const Vector3d& vector,
                               const HeldValues& held,
                               const Vector3d& values) {
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
    const double value = 0.5 * solution.dot(matrix * solution) - vector.dot(solution);
    if (solution.allFinite() && solution.minCoeff() >= 0.0 && value < best_value) {
      best = solution;
      best_value = value;
    }
  }
  return best;
}

/// The normal equations of one reweighting.
struct Normal {
  double matrix[6] = {};
  double vector[3] = {};

  void add(double weight, double one, double u, double v, double target) {
    matrix[0] += weight * one * one;
    matrix[1] += weight * one * u;
    matrix[2] += weight * one * v;
    matrix[3] += weight * u * u;
    matrix[4] += weight * u * v;
    matrix[5] += weight * v * v;
    vector[0] += weight * one * target;
    vector[1] += weight * u * target;
    vector[2] += weight * v * target;
  }
};

class Profile {
 public:
  explicit Profile(const ChinchillaObjective& objective)
      : objective_(&objective), scales_(scales_of(objective)) {}

  [[nodiscard]] GridNode node(double rate_n,
                              double rate_d,
                              const std::vector<double>& u,
                              const std::vector<double>& v) const {
    GridNode node;
    node.point << 0.0, 0.0, 0.0, std::log(rate_n), std::log(rate_d);
    const HeldValues& held = objective_->held();
    node.point = held.resolve(node.point);
    Vector3d terms = node.point.head<3>();
    const Vector3d values = terms;
    const bool is_robust = std::isfinite(objective_->delta());
    for (int pass = 0; pass <= (is_robust ? kReweightings : 0); ++pass) {
      const Normal normal = equations(terms, pass > 0, u, v);
      const double* m = normal.matrix;
      Matrix3d matrix;
      matrix << m[0], m[1], m[2], m[1], m[3], m[4], m[2], m[4], m[5];
      terms = non_negative_solution(
          matrix, Eigen::Map<const Vector3d>(normal.vector), held, values);
    }
    node.point.head<3>() = terms;
    node.value = value(terms, u, v);
    return node;
  }

 private:
  [[nodiscard]] Normal equations(const Vector3d& terms,
                                 bool is_reweighted,
                                 const std::vector<double>& u,
                                 const std::vector<double>& v) const {
    const std::vector<double>& weights = objective_->weights();
    const double delta = objective_->delta();
    Normal normal;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double per = scales_.per[i];
      const double target = scales_.target[i];
      double weight = weights[i];
      if (is_reweighted) {
        const double size =
            std::fabs((terms[0] + terms[1] * u[i] + terms[2] * v[i]) * per - target);
        weight *= delta / std::max(size, delta);
      }
      normal.add(weight, per, per * u[i], per * v[i], target);
    }
    return normal;
  }

  [[nodiscard]] double value(const Vector3d& terms,
                             const std::vector<double>& u,
                             const std::vector<double>& v) const {
    const LawRows& rows = objective_->rows();
    const bool is_log = objective_->kind() == ResidualKind::kLog;
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double predicted =
          (terms[0] + terms[1] * u[i] + terms[2] * v[i]) * scales_.per[i];
      const double r = is_log ? std::log(predicted) : predicted - scales_.target[i];
      sum += rows.weight[i] * objective_->loss().value(r);
    }
    return sum;
  }

  const ChinchillaObjective* objective_;
  Scales scales_;
};

}  // namespace

ExponentGrid::ExponentGrid(const ChinchillaObjective& objective) {
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
    if (rank < kLowest || !is_block_done[block] || is_local_minimum(i, j)) {
      chosen.push_back(nodes_[order[rank]]);
    }
    is_block_done[block] = true;
  }
  return chosen;
}

}  // namespace sizewise::fits

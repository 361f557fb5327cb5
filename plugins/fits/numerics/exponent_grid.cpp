#include "exponent_grid.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>

namespace sizewise::fits {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

constexpr std::size_t kSide = 24;
constexpr double kLeastExponent =
    0.02;  // over half the range of ln N: nearly a straight line
constexpr double kMostExponent = 24.0;  // the smallest N alone stands out
constexpr int kReweightings = 5;
constexpr double kLeastTerm = 1e-9;  // of a term that the data do not want

double exponent_of(std::size_t index) {
  const double step = static_cast<double>(index) / static_cast<double>(kSide - 1);
  return kLeastExponent * std::pow(kMostExponent / kLeastExponent, step);
}

/// exp(-alpha x) for every node and row, each node's largest value being 1.
std::vector<std::vector<double>> powers(const std::vector<double>& logs) {
  const double least = *std::min_element(logs.begin(), logs.end());
  std::vector<std::vector<double>> table(kSide, std::vector<double>(logs.size()));
  for (std::size_t node = 0; node < kSide; ++node) {
    const double exponent = exponent_of(node);
    for (std::size_t row = 0; row < logs.size(); ++row) {
      table[node][row] = std::exp(-exponent * (logs[row] - least));
    }
  }
  return table;
}

/// Minimises c'Mc/2 - v'c over c >= 0: of the eight sets of terms, the best feasible one.
Vector3d non_negative_solution(const Matrix3d& matrix, const Vector3d& vector) {
  Vector3d best = Vector3d::Zero();
  double best_gain = 0.0;
  for (unsigned set = 7; set > 0; --set) {
    Matrix3d kept = matrix;
    Vector3d right = vector;
    for (int term = 0; term < 3; ++term) {
      if ((set >> static_cast<unsigned>(term) & 1U) == 0U) {
        kept.row(term).setZero();
        kept.col(term).setZero();
        kept(term, term) = 1.0;
        right[term] = 0.0;
      }
    }
    kept.diagonal() *= 1.0 + 1e-13;
    const Vector3d solution = kept.llt().solve(right);
    const bool is_feasible = solution.allFinite() && solution.minCoeff() >= 0.0;
    const double gain = solution.dot(right) - 0.5 * solution.dot(kept * solution);
    if (is_feasible && gain > best_gain) {
      best = solution;
      best_gain = gain;
      if (set == 7) {
        break;
      }
    }
  }
  return best;
}

/// What every node shares: 1/L and L of the rows.
struct Scales {
  std::vector<double> loss;
  std::vector<double> per_loss;
};

Scales scales_of(const ChinchillaObjective& objective) {
  Scales scales;
  for (const double z : objective.rows().z) {
    scales.loss.push_back(std::exp(z));
    scales.per_loss.push_back(objective.kind() == ResidualKind::kLog ? std::exp(-z)
                                                                     : 1.0);
  }
  return scales;
}

Vector3d fitted_terms(const ChinchillaObjective& objective,
                      const Scales& scales,
                      const std::vector<double>& u,
                      const std::vector<double>& v) {
  const LawRows& rows = objective.rows();
  Vector3d terms = Vector3d::Zero();
  for (int pass = 0; pass <= kReweightings; ++pass) {
    Matrix3d matrix = Matrix3d::Zero();
    Vector3d vector = Vector3d::Zero();
    double m[6] = {};
    double w[3] = {};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double per = scales.per_loss[i];
      const double target = scales.loss[i] * per;
      double weight = rows.weight[i];
      if (pass > 0) {
        const double predicted = (terms[0] + terms[1] * u[i] + terms[2] * v[i]) * per;
        weight *= objective.loss().weight(predicted - target);
      }
      const double pu = per * u[i];
      const double pv = per * v[i];
      m[0] += weight * per * per;
      m[1] += weight * per * pu;
      m[2] += weight * per * pv;
      m[3] += weight * pu * pu;
      m[4] += weight * pu * pv;
      m[5] += weight * pv * pv;
      w[0] += weight * per * target;
      w[1] += weight * pu * target;
      w[2] += weight * pv * target;
    }
    matrix << m[0], m[1], m[2], m[1], m[3], m[4], m[2], m[4], m[5];
    vector << w[0], w[1], w[2];
    terms = non_negative_solution(matrix, vector);
  }
  return terms;
}

double value_of(const ChinchillaObjective& objective,
                const Scales& scales,
                const Vector3d& terms,
                const std::vector<double>& u,
                const std::vector<double>& v) {
  const LawRows& rows = objective.rows();
  const bool is_log = objective.kind() == ResidualKind::kLog;
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double predicted = terms[0] + terms[1] * u[i] + terms[2] * v[i];
    const double r =
        is_log ? std::log(predicted * scales.per_loss[i]) : predicted - scales.loss[i];
    sum += rows.weight[i] * objective.loss().value(r);
  }
  return sum;
}

}  // namespace

ExponentGrid::ExponentGrid(const ChinchillaObjective& objective) : side_(kSide) {
  const LawRows& rows = objective.rows();
  const auto us = powers(rows.x);
  const auto vs = powers(rows.y);
  const double least_x = *std::min_element(rows.x.begin(), rows.x.end());
  const double least_y = *std::min_element(rows.y.begin(), rows.y.end());
  const Scales scales = scales_of(objective);
  nodes_.reserve(side_ * side_);
  for (std::size_t i = 0; i < side_; ++i) {
    for (std::size_t j = 0; j < side_; ++j) {
      const Vector3d terms =
          fitted_terms(objective, scales, us[i], vs[j]).cwiseMax(kLeastTerm);
      GridNode node;
      node.value = value_of(objective, scales, terms, us[i], vs[j]);
      node.point << std::log(terms[0]), std::log(terms[1]) + exponent_of(i) * least_x,
          std::log(terms[2]) + exponent_of(j) * least_y, std::log(exponent_of(i)),
          std::log(exponent_of(j));
      nodes_.push_back(node);
    }
  }
}

std::vector<GridNode> ExponentGrid::local_minima() const {
  const auto side = static_cast<std::ptrdiff_t>(side_);
  const auto at = [this, side](std::ptrdiff_t i, std::ptrdiff_t j) -> const GridNode& {
    return nodes_[static_cast<std::size_t>(i * side + j)];
  };
  const auto is_lowest = [&](std::ptrdiff_t i, std::ptrdiff_t j) {
    for (std::ptrdiff_t p = std::max<std::ptrdiff_t>(i - 1, 0);
         p <= std::min(i + 1, side - 1);
         ++p) {
      for (std::ptrdiff_t q = std::max<std::ptrdiff_t>(j - 1, 0);
           q <= std::min(j + 1, side - 1);
           ++q) {
        if (at(p, q).value < at(i, j).value) {
          return false;
        }
      }
    }
    return true;
  };
  std::vector<GridNode> minima;
  for (std::ptrdiff_t i = 0; i < side; ++i) {
    for (std::ptrdiff_t j = 0; j < side; ++j) {
      if (is_lowest(i, j)) {
        minima.push_back(at(i, j));
      }
    }
  }
  std::sort(minima.begin(), minima.end(), [](const GridNode& a, const GridNode& b) {
    return a.value < b.value;
  });
  return minima;
}

}  // namespace sizewise::fits

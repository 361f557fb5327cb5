#include "law_uncertainty.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <Eigen/Eigenvalues>

#include "identification.hpp"

namespace sizewise::fits {
namespace {

constexpr std::array<const char*, 5> kKeys = {"E", "A", "B", "alpha", "beta"};

double normal_share(double from, double to) {
  return 0.5 *
         (std::erf(to / std::numbers::sqrt2) - std::erf(from / std::numbers::sqrt2));
}

/// The size that half of the weight lies below.
double weighted_median_size(const std::vector<double>& values,
                            const std::vector<double>& weights,
                            const std::vector<std::size_t>& by_size,
                            double total) {
  double below = 0.0;
  for (const std::size_t i : by_size) {
    below += weights[i];
    if (below >= 0.5 * total) {
      return std::fabs(values[i]);
    }
  }
  return 0.0;
}

/// Silverman 1986, Density Estimation, equation 3.31.
double bandwidth(double deviation, double median_size, double count) {
  constexpr double kNormalMedian = 1.482602218505602;
  double spread = kNormalMedian * median_size;
  spread = spread > 0.0 ? std::min(spread, deviation) : deviation;
  return 0.9 * spread * std::pow(count, -0.2);
}

}  // namespace

LossMoments moments_of_residuals(const std::vector<double>& residuals,
                                 const std::vector<double>& weights,
                                 const RobustLoss& loss,
                                 int parameters) {
  LossMoments moments;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double freedom = total - parameters;
  if (!(freedom > 0.0)) {
    return moments;
  }
  moments.squared_slope = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const double slope = loss.slope(residuals[i]);
    moments.squared_slope += weights[i] * slope * slope / freedom;
    squares += weights[i] * residuals[i] * residuals[i] / freedom;
  }
  moments.curvature = 1.0;
  if (!std::isfinite(loss.delta()) || !(squares > 0.0)) {
    return moments;
  }
  std::vector<std::size_t> by_size(residuals.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::sort(by_size.begin(), by_size.end(), [&residuals](std::size_t a, std::size_t b) {
    return std::fabs(residuals[a]) < std::fabs(residuals[b]);
  });
  by_size.erase(by_size.begin(),
                by_size.begin() + std::min<std::ptrdiff_t>(parameters, by_size.size()));
  double kept = 0.0;
  for (const std::size_t i : by_size) {
    kept += weights[i];
  }
  const double median = weighted_median_size(residuals, weights, by_size, kept);
  const double width = bandwidth(std::sqrt(squares), median, kept);
  double share = 0.0;
  for (const std::size_t i : by_size) {
    share += weights[i] / kept *
             normal_share((-loss.delta() - residuals[i]) / width,
                          (loss.delta() - residuals[i]) / width);
  }
  const double smoothing = std::hypot(1.0, width / std::sqrt(squares));
  moments.curvature = std::min(share * smoothing, 1.0);
  return moments;
}

LossMoments moments_of_noise(const std::vector<double>& deviations,
                             const std::vector<double>& weights,
                             const RobustLoss& loss) {
  LossMoments moments{0.0, 0.0};
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    const double share = weights[i] / total;
    const double deviation = deviations[i];
    if (!std::isfinite(loss.delta())) {
      moments.curvature += share;
      moments.squared_slope += share * deviation * deviation;
      continue;
    }
    const double k = loss.delta() / deviation;
    const double inside = normal_share(-k, k);
    const double density =
        std::exp(-0.5 * k * k) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    moments.curvature += share * inside;
    moments.squared_slope += share * deviation * deviation *
                             (inside - 2.0 * k * density + k * k * (1.0 - inside));
  }
  return moments;
}

namespace {

LossMoments moments_at(const ChinchillaObjective& objective,
                       const LawPoint& point,
                       double noise,
                       int parameters) {
  const LawRows& rows = objective.rows();
  if (!(noise > 0.0)) {
    return moments_of_residuals(
        objective.residuals(point), rows.weight, objective.loss(), parameters);
  }
  std::vector<double> deviations(rows.size(), noise);
  if (objective.kind() == ResidualKind::kLinear) {
    for (std::size_t i = 0; i < deviations.size(); ++i) {
      deviations[i] = noise * std::exp(rows.z[i]);
    }
  }
  return moments_of_noise(deviations, rows.weight, objective.loss());
}

/// The coordinates that the rows determine: not held, and no term of size 0.
std::vector<int> free_coordinates(const HeldValues& held, const LawPoint& point) {
  std::vector<int> free;
  for (int i = 0; i < 5; ++i) {
    const int term = i >= 3 ? i - 2 : i;
    if (!held.holds(i) && !is_negligible_term(point[term])) {
      free.push_back(i);
    }
  }
  return free;
}

/// d (E, A, B, alpha, beta) / d coordinates.
Eigen::Matrix<double, 5, 5> table_units(const LawPoint& point,
                                        const LawRows& rows,
                                        const HeldValues& held) {
  const Law law = law_of_point(point, rows);
  Eigen::Matrix<double, 5, 5> matrix = Eigen::Matrix<double, 5, 5>::Zero();
  matrix(0, 0) = law.value("E");
  matrix(3, 3) = law.value("alpha");
  matrix(4, 4) = law.value("beta");
  for (int term : {1, 2}) {
    // ln A = coordinate + alpha * centre + constant.
    const double value = law.value(kKeys[static_cast<std::size_t>(term)]);
    const double centre = term == 1 ? rows.params.centre : rows.tokens.centre;
    matrix(term, term) = value;
    matrix(term, term + 2) =
        held.holds(term) ? 0.0 : value * matrix(term + 2, term + 2) * centre;
  }
  return matrix;
}

}  // namespace

void describe_uncertainty(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          double noise,
                          FitResult& result) {
  const std::vector<int> free = free_coordinates(objective.held(), point);
  if (free.empty()) {
    return;
  }
  const auto count = static_cast<Eigen::Index>(free.size());
  const LossMoments moments =
      moments_at(objective, point, noise, static_cast<int>(count));
  result.dispersion = objective.in_table_units(moments.dispersion());
  // The majorizer under squared error is J' W J.
  const Eigen::Matrix<double, 5, 5> products =
      objective.with_scaled_delta(std::numeric_limits<double>::infinity())(point)
          .majorizer;
  const Eigen::MatrixXd inner = products(free, free);
  const Eigen::VectorXd scale = inner.diagonal().cwiseSqrt().cwiseInverse();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scale.asDiagonal() * inner *
                                                              scale.asDiagonal());
  constexpr double kSingular = 1e-14;
  if (!scale.allFinite() || !(solver.eigenvalues()[0] > kSingular)) {
    return;
  }
  const Eigen::MatrixXd inverse = scale.asDiagonal() * solver.eigenvectors() *
                                  solver.eigenvalues().cwiseInverse().asDiagonal() *
                                  solver.eigenvectors().transpose() * scale.asDiagonal();
  const Eigen::MatrixXd units =
      table_units(point, objective.rows(), objective.held())(free, free);
  const Eigen::MatrixXd covariance =
      moments.variance() * units * inverse * units.transpose();
  if (!covariance.allFinite()) {
    return;
  }
  for (const int coordinate : free) {
    result.parameters.emplace_back(kKeys[static_cast<std::size_t>(coordinate)]);
  }
  for (Eigen::Index row = 0; row < count; ++row) {
    for (Eigen::Index column = 0; column < count; ++column) {
      result.covariance.push_back(covariance(row, column));
    }
  }
}

}  // namespace sizewise::fits

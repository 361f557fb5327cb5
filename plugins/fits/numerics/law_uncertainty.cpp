#include "law_uncertainty.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "identification.hpp"

namespace sizewise::fits {
namespace {

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

LossMoments moments_of(const ChinchillaObjective& objective,
                       const std::vector<double>& residuals,
                       double noise,
                       int parameters) {
  const LawRows& rows = objective.rows();
  if (!(noise > 0.0)) {
    return moments_of_residuals(residuals, rows.weight, objective.loss(), parameters);
  }
  std::vector<double> deviations(rows.size(), noise);
  if (objective.kind() == ResidualKind::kLinear) {
    for (std::size_t i = 0; i < deviations.size(); ++i) {
      deviations[i] = noise * std::exp(rows.z[i]);
    }
  }
  return moments_of_noise(deviations, rows.weight, objective.loss());
}

Eigen::Matrix<double, 5, 5> law_units(const LawPoint& point,
                                      const LawRows& rows,
                                      const std::array<bool, 2>& is_held) {
  const Law law = law_of_point(point, rows);
  Eigen::Matrix<double, 5, 5> matrix = Eigen::Matrix<double, 5, 5>::Zero();
  matrix(0, 0) = std::exp(rows.loss.origin);
  matrix(3, 3) = law.value("alpha");
  matrix(4, 4) = law.value("beta");
  for (int term : {1, 2}) {
    // A = size * e^(alpha * origin) in the loss's unit.
    const double value = law.value(kLawKeys[static_cast<std::size_t>(term)]);
    const double origin = term == 1 ? rows.params.origin : rows.tokens.origin;
    matrix(term, term) = value / point[term];
    matrix(term, term + 2) = is_held[static_cast<std::size_t>(term - 1)]
                                 ? 0.0
                                 : value * matrix(term + 2, term + 2) * origin;
  }
  return matrix;
}

void describe_uncertainty(const ChinchillaObjective& objective,
                          const LawPoint& point,
                          double noise,
                          FitResult& result) {
  const std::vector<int> free = free_coordinates(objective, point);
  if (free.empty()) {
    return;
  }
  const LossMoments moments = moments_of(
      objective, objective.residuals(point), noise, static_cast<int>(free.size()));
  result.dispersion = objective.in_table_units(moments.dispersion());
  const Eigen::MatrixXd inverse =
      inverse_products(jacobian_products(objective, point)(free, free));
  if (inverse.size() == 0) {
    return;
  }
  const HeldValues& held = objective.held();
  const Eigen::MatrixXd units =
      law_units(point, objective.rows(), {held.holds(1), held.holds(2)})(free, free);
  std::vector<std::string> names;
  for (const int coordinate : free) {
    names.emplace_back(kLawKeys[static_cast<std::size_t>(coordinate)]);
  }
  set_covariance(names, moments.variance() * units * inverse * units.transpose(), result);
}

}  // namespace sizewise::fits

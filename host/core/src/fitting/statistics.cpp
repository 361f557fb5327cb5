#include "fitting/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>

namespace sizewise::fitting {

void sort_numbers(std::vector<double>& numbers) {
  // A NaN has no place in an order; std::sort must not meet one.
  std::erase_if(numbers, [](double number) {
    return std::isnan(number);
  });
  std::sort(numbers.begin(), numbers.end());
}

double sorted_quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  if (!std::isfinite(sorted[below]) || !std::isfinite(sorted[above])) {
    // Between an end that is not bounded and anything else there is no middle.
    return part > 0.0 && !std::isfinite(sorted[above]) ? sorted[above] : sorted[below];
  }
  return std::lerp(sorted[below], sorted[above], part);
}

double quantile(std::vector<double> numbers, double share) {
  sort_numbers(numbers);
  return sorted_quantile(numbers, share);
}

double standard_deviation(const std::vector<double>& numbers) {
  double count = 0.0;
  double mean = 0.0;
  double squares = 0.0;
  for (const double number : numbers) {
    if (std::isinf(number)) {
      return std::numeric_limits<double>::infinity();
    }
    if (!std::isnan(number)) {
      // Welford 1962: no difference of large sums.
      count += 1.0;
      const double from_mean = number - mean;
      mean += from_mean / count;
      squares += from_mean * (number - mean);
    }
  }
  return count > 0.0 ? std::sqrt(squares / count)
                     : std::numeric_limits<double>::quiet_NaN();
}

Interval percentile_interval(std::vector<double> numbers, double level) {
  sort_numbers(numbers);
  const double tail = 0.5 * (1.0 - level);
  return {sorted_quantile(numbers, tail), sorted_quantile(numbers, 1.0 - tail)};
}

double normal_half_width(double level) {
  return boost::math::quantile(boost::math::normal(), 0.5 + 0.5 * level);
}

double chi_squared_quantile(double level) {
  return boost::math::quantile(boost::math::chi_squared(1.0), level);
}

}  // namespace sizewise::fitting

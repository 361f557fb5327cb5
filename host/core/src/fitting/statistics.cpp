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

namespace {

/// Between two neighbours in order. Between an end that is not bounded and anything else
/// there is no middle.
double between(double below, double above, double part) {
  if (!std::isfinite(below) || !std::isfinite(above)) {
    return part > 0.0 && !std::isfinite(above) ? above : below;
  }
  return std::lerp(below, above, part);
}

}  // namespace

double sorted_quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double place =
      std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return between(sorted[below], sorted[above], place - static_cast<double>(below));
}

double quantile(std::vector<double> numbers, double share) {
  // A NaN has no place in an order; no algorithm that orders must meet one.
  std::erase_if(numbers, [](double number) {
    return std::isnan(number);
  });
  if (numbers.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double place = share * static_cast<double>(numbers.size() - 1);
  const auto below = numbers.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(numbers.begin(), below, numbers.end());
  const auto above = std::min_element(below + 1, numbers.end());
  return between(
      *below, above == numbers.end() ? *below : *above, place - std::floor(place));
}

Interval range_of(std::span<const double> numbers) {
  Interval range;
  for (const double number : numbers) {
    // A comparison with NaN is false: the first number replaces it, a NaN nothing.
    range.low = !(number >= range.low) && !std::isnan(number) ? number : range.low;
    range.high = !(number <= range.high) && !std::isnan(number) ? number : range.high;
  }
  return range;
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

Interval bias_corrected_interval(std::vector<double> draws,
                                 double estimate,
                                 double level) {
  sort_numbers(draws);
  if (std::isnan(estimate) || draws.empty()) {
    return percentile_interval(std::move(draws), level);
  }
  const auto [first, last] = std::equal_range(draws.begin(), draws.end(), estimate);
  const auto count = static_cast<double>(draws.size());
  const double below = (static_cast<double>(first - draws.begin()) +
                        0.5 * static_cast<double>(last - first)) /
                       count;
  constexpr double kMostBias = 0.5;
  const boost::math::normal normal;
  const double share = std::clamp(
      below, boost::math::cdf(normal, -kMostBias), boost::math::cdf(normal, kMostBias));
  const double bias = 2.0 * boost::math::quantile(normal, share);
  const double half = normal_half_width(level);
  return {
      std::min(estimate, sorted_quantile(draws, boost::math::cdf(normal, bias - half))),
      std::max(estimate, sorted_quantile(draws, boost::math::cdf(normal, bias + half)))};
}

double normal_half_width(double level) {
  return boost::math::quantile(boost::math::normal(), 0.5 + 0.5 * level);
}

double chi_squared_quantile(double level) {
  return boost::math::quantile(boost::math::chi_squared(1.0), level);
}

}  // namespace sizewise::fitting

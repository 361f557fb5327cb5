#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/toms748_solve.hpp>

// Functions of one number. Private to this folder.

namespace sizewise::fitting {

/// Where a function is least between two ends: the lowest of a grid, then Brent's method
/// (Brent 1973, chapter 5). What is not finite is never least.
template <class Function>
[[nodiscard]] double least_point(const Function& function, double from, double to) {
  constexpr int kGrid = 400;
  constexpr int kBits = std::numeric_limits<double>::digits / 2;
  const auto finite = [&](double x) {
    const double value = function(x);
    return std::isfinite(value) ? value : std::numeric_limits<double>::max();
  };
  const double step = (to - from) / kGrid;
  double best = from;
  double least = finite(from);
  for (int i = 1; i <= kGrid; ++i) {
    const double value = finite(from + step * i);
    if (value < least) {
      least = value;
      best = from + step * i;
    }
  }
  return boost::math::tools::brent_find_minima(
             finite, std::max(best - step, from), std::min(best + step, to), kBits)
      .first;
}

/// Where a function that rises from below 0 meets 0: `from` where it is not below 0
/// there, infinite where it is still below 0 at `to`. Source: Alefeld, Potra and Shi
/// 1995, algorithm 748.
/// @param bits of the place that are wanted
template <class Function>
[[nodiscard]] double first_root(Function&& function,
                                double from,
                                double to,
                                int bits = std::numeric_limits<double>::digits - 3) {
  const double at_from = function(from);
  if (!(at_from < 0.0)) {
    return std::isnan(at_from) ? std::numeric_limits<double>::infinity() : from;
  }
  const double at_to = function(to);
  if (!(at_to >= 0.0)) {
    return std::numeric_limits<double>::infinity();
  }
  std::uintmax_t most = 200;
  const auto [low, high] =
      boost::math::tools::toms748_solve(function,
                                        from,
                                        to,
                                        at_from,
                                        at_to,
                                        boost::math::tools::eps_tolerance<double>(bits),
                                        most);
  return 0.5 * (low + high);
}

}  // namespace sizewise::fitting

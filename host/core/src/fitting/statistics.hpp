#pragma once

#include <span>
#include <vector>

#include "fitting/interval.hpp"

namespace sizewise::fitting {

/// Removes what is not a number and sorts the rest; infinities stay.
void sort_numbers(std::vector<double>& numbers);

/// The quantile of sorted numbers, interpolated between order statistics; NaN of none.
/// A share outside [0, 1] is the nearest end.
/// Source: Hyndman and Fan 1996, definition 7.
[[nodiscard]] double sorted_quantile(const std::vector<double>& sorted, double share);

/// The same of any numbers, in linear time; those that are NaN do not count.
[[nodiscard]] double quantile(std::vector<double> numbers, double share);

/// The smallest and the largest; those that are NaN do not count, NaN of none.
[[nodiscard]] Interval range_of(std::span<const double> numbers);

/// The root of the mean squared distance from the mean of those that are numbers: NaN of
/// none, infinite where one is.
[[nodiscard]] double standard_deviation(const std::vector<double>& numbers);

/// The percentile interval of that level. Source: Efron and Tibshirani 1993, chapter 13.
[[nodiscard]] Interval percentile_interval(std::vector<double> numbers, double level);

/// The percentile interval with Efron's correction for a bias of the draws: where more of
/// them lie on one side of the estimate than on the other, its ends move to the other
/// side, by one standard deviation at most. It holds the estimate. Without an estimate
/// (NaN) the plain interval. Source: Efron 1987, "Better Bootstrap Confidence Intervals",
/// section 2 (BC).
[[nodiscard]] Interval bias_corrected_interval(std::vector<double> draws,
                                               double estimate,
                                               double level);

/// Half the width of a normal variable's central interval, in standard deviations.
[[nodiscard]] double normal_half_width(double level);

/// The quantile of a chi-squared variable of one degree of freedom.
[[nodiscard]] double chi_squared_quantile(double level);

}  // namespace sizewise::fitting

#pragma once

#include <map>
#include <string>
#include <vector>

#include "sizewise/fit.hpp"

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// What the replicates of a bootstrap found.
struct Replicates {
  std::string unit;  ///< "row" or "run_id"
  int failed = 0;
  int not_identified = 0;
  /// By parameter, and of a and b: one number a replicate that gave a law.
  std::map<std::string, std::vector<double>> values;
  /// By budget of the request: N* of each such replicate.
  std::vector<std::vector<double>> optimal_params;
};

/// Refits resamples of the rows, drawn with replacement: single rows, or whole runs where
/// a run_id repeats. The same seed gives the same replicates however many threads work.
/// Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 6
/// and 13.
[[nodiscard]] Replicates bootstrap_fit(const RunTable& runs,
                                       const FitRequest& request,
                                       const Fit& fit,
                                       const FitResult& best,
                                       const CostModel& cost_model);

/// The quantile of some numbers, interpolated between order statistics; sorts them.
/// Source: Hyndman and Fan 1996, definition 7.
[[nodiscard]] double quantile(std::vector<double>& numbers, double share);

/// The root of the mean squared distance from the mean.
[[nodiscard]] double standard_deviation(const std::vector<double>& numbers);

/// The percentile interval of that level.
[[nodiscard]] Interval percentile_interval(std::vector<double>& numbers, double level);

}  // namespace sizewise::fitting

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sizewise/experiment.hpp"
#include "sizewise/fit.hpp"

#include "fitting/cost_model.hpp"
#include "tables/row_filter.hpp"

namespace sizewise::fitting {

/// What is asked of fit_runs().
struct FitRequest {
  PluginChoice fit;  ///< id, and options as the manifest resolved them
  std::vector<Flops> budgets;
  std::vector<tables::RowFilter> filters;
  int bootstrap = 0;  ///< replicates; 0: none
  uint64_t seed = 0;
  double level = 0.95;  ///< of the intervals
  int threads = 1;
  bool force = false;  ///< name optima even where the law is not identified
  /// Where the rows come from, for messages: a file's name and each row's line (empty:
  /// rows are counted).
  std::string source;
  std::vector<uint64_t> lines;
};

/// The ends of an interval; NaN: not computed, infinite: unbounded on that side.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// Rows that were not used, and why.
struct Exclusion {
  std::string reason;
  std::size_t count = 0;
};

struct RowCounts {
  std::size_t read = 0;
  std::size_t used = 0;
  std::vector<Exclusion> excluded;
};

/// How the law moves when its rows are drawn again with replacement.
struct BootstrapReport {
  int replicates = 0;
  int failed = 0;  ///< replicates that gave no law; not in the figures below
  /// Replicates whose law the rows drawn do not identify; their figures count.
  int not_identified = 0;
  std::string unit;  ///< what was drawn: "row" or "run_id"
  double level = 0.95;
  std::map<std::string, double> standard_error;  ///< by parameter, and of a and b
  std::map<std::string, Interval> interval;      ///< percentiles
};

/// The best use of one budget. NaN where the law says nothing.
struct Optimum {
  Flops budget;
  Parameters params{FitResult::kUnknown};
  Units tokens{FitResult::kUnknown};  ///< C / c(params)
  Nats loss{FitResult::kUnknown};
  std::optional<Interval> params_interval;
  double extrapolation = FitResult::kUnknown;  ///< C over the largest C in the table
};

/// A fit with all that a person needs to judge it: what `sizewise fit --json` prints and
/// law.json holds.
struct FitReport {
  PluginChoice fit;
  RowCounts rows;
  FitResult result;  ///< status, reasons, law, objective, starts and exponents
  std::optional<BootstrapReport> bootstrap;
  CostModel cost_model = CostModel::six_per_parameter();
  double largest_flops = FitResult::kUnknown;  ///< of the rows used
  Interval params_seen;               ///< smallest and largest N of the rows used
  Interval ratio_seen;                ///< smallest and largest D / N of the rows used
  std::vector<Optimum> optima;        ///< one for each budget asked
  std::vector<std::string> warnings;  ///< the plugin's and the host's

  [[nodiscard]] bool identified() const {
    return result.status == FitStatus::kIdentified;
  }
};

/// Fits, bootstraps and names the optima (none where the law is not identified, unless
/// forced). Rows whose status is not "done", and those that
/// a filter excludes, are left out and counted. A law that the data do not identify is a
/// report with that status, not an exception.
/// @throws Error kInput where params, tokens or loss are missing or hold a value that no
///   fit can use, kConfiguration for a request out of range, and what the plugin throws
[[nodiscard]] FitReport fit_runs(const RunTable& runs,
                                 const FitRequest& request,
                                 const Fit& fit,
                                 const CostModel& cost_model);

/// The budget's optimum under a law: minimises L(N, C / c(N)) over N, or takes N from the
/// allocation law; D is C / c(N) in both cases, so that (N, D) costs the budget.
/// Extrapolation and interval are not filled in.
/// @throws Error kFit where the law's form names no optimum (power), kConfiguration where
///   the budget is not above 0
[[nodiscard]] Optimum optimum_of(const Law& law,
                                 const CostModel& cost_model,
                                 Flops budget);

}  // namespace sizewise::fitting

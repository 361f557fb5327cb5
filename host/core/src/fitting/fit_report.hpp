#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/cost_model.hpp"
#include "sizewise/experiment.hpp"
#include "sizewise/fit.hpp"
#include "sizewise/optimum.hpp"

#include "fitting/interval.hpp"
#include "fitting/question.hpp"
#include "tables/row_filter.hpp"

namespace sizewise::fitting {

/// What is asked of fit_runs().
struct FitRequest {
  PluginChoice fit;  ///< id, and options as the manifest resolved them
  Asked asked;
  std::vector<tables::RowFilter> filters;
  /// Rows that are predicted and not fitted: those that satisfy all of these. Without
  /// any, those of the largest budget are predicted from the others, where there are at
  /// least 4 budgets.
  std::vector<tables::RowFilter> hold_out;
  bool leaves_out_largest = true;
  int bootstrap = 0;  ///< replicates; 0: none
  /// Bootstrap all the same where the fit tells no standard errors, or none that hold:
  /// rows of one run are not independent.
  bool bootstrap_where_needed = false;
  uint64_t seed = 0;
  double level = 0.95;                 ///< of the intervals
  double noise = FitResult::kUnknown;  ///< of ln loss over seeds, where it is known
  std::vector<std::string> profiles;   ///< values of the law to profile
  bool residuals = false;
  bool sensitivity = false;
  int threads = 1;
  bool force = false;  ///< name optima even where the law is not identified
  /// Where the rows come from, for messages: a file's name and each row's line (empty:
  /// rows are counted).
  std::string source;
  std::vector<uint64_t> lines;
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
  std::map<std::string, int> reasons;  ///< how many replicates gave each
  /// What was drawn: "row", "run_id", or "noise" where a noise level was given.
  std::string unit;
  double level = 0.95;
  std::map<std::string, double> standard_error;  ///< by parameter, and of a and b
  std::map<std::string, Interval> interval;      ///< see bias_corrected_interval()
  /// By name as above and "params 0", "params 1", ... of the optima in their order: one
  /// number a replicate, NaN where it gave none. In JSON without those of the optima.
  std::map<std::string, std::vector<double>> draws;
};

/// Whether such a name of a draw is an optimum's.
[[nodiscard]] inline bool is_of_optimum(std::string_view name) {
  return name.find(' ') != std::string_view::npos;
}

/// What the curvature of the objective at its minimum says, beside the bootstrap.
struct HessianReport {
  double level = 0.95;
  std::map<std::string, double> standard_error;  ///< by parameter, and of a and b
  /// Of normal variables: in logarithms for parameters, as they are for a and b.
  std::map<std::string, Interval> interval;
};

/// The profile likelihood of one value of the law.
struct ProfileReport {
  std::string name;
  double level = 0.95;
  double estimate = FitResult::kUnknown;
  Interval interval;
  int refits = 0;
};

/// One answer of the law.
struct Optimum : Training {
  Question question;
  std::optional<Interval> budget_interval;
  std::optional<Interval> params_interval;
  std::optional<Interval> tokens_interval;
  std::optional<Interval> loss_interval;
  std::string interval_source;                 ///< "bootstrap", "hessian" or empty
  double extrapolation = FitResult::kUnknown;  ///< C over the largest C in the table
  bool is_size_given = false;                  ///< N follows from what was asked alone
  std::optional<Serving> serving;              ///< at the same loss
  std::optional<Interval> serving_params_interval;     ///< of N of `serving`
  double serving_extrapolation = FitResult::kUnknown;  ///< its C over the table's largest
};

/// Calls give(name, member of Training, the optimum's interval of it) for every number
/// that was not what was asked.
template <class Give>
void for_each_interval(Optimum& optimum, const Give& give) {
  const Question::Kind asked = optimum.question.kind;
  if (asked != Question::Kind::kBudget) {
    give("budget", &Training::budget, optimum.budget_interval);
  }
  if (asked != Question::Kind::kParams) {
    give("params", &Training::params, optimum.params_interval);
  }
  if (asked != Question::Kind::kTokens) {
    give("tokens", &Training::tokens, optimum.tokens_interval);
  }
  if (asked != Question::Kind::kTargetLoss) {
    give("loss", &Training::loss, optimum.loss_interval);
  }
}

/// One row beside what the law says of it.
struct Residual {
  uint64_t line = 0;  ///< in the file, else the row's place in the table, from 1
  double params = FitResult::kUnknown;
  double tokens = FitResult::kUnknown;
  double observed = FitResult::kUnknown;  ///< the loss (power: y)
  double predicted = FitResult::kUnknown;
  double flops = FitResult::kUnknown;

  [[nodiscard]] double error() const { return predicted - observed; }
  [[nodiscard]] double log_error() const;  ///< ln(predicted / observed)
};

/// Rows far from the law, which used them all the same.
struct OutlierReport {
  double limit = FitResult::kUnknown;  ///< of |ln(predicted / observed) - median|
  std::size_t count = 0;
  std::vector<Residual> rows;  ///< the 20 farthest, farthest first
  Law law_without;             ///< refitted without them; no values: none came
  double a_without = FitResult::kUnknown;
};

/// How well rows that were not fitted are predicted from those that were.
struct HoldOutReport {
  std::string rows_held;  ///< in words
  std::size_t held = 0;
  std::size_t fitted = 0;
  FitResult result;                                  ///< of the fitted rows
  double mean_absolute_error = FitResult::kUnknown;  ///< in nats per unit
  double bias = FitResult::kUnknown;                 ///< mean of predicted - observed
  Flops budget{FitResult::kUnknown};                 ///< the largest of the rows held
  /// Its best size by the law of the fitted rows, and by the law of all.
  Parameters params{FitResult::kUnknown};
  Parameters params_of_all{FitResult::kUnknown};
};

/// The same fit under another reading of N or C.
struct SensitivityRow {
  std::string reading;  ///< "params = params_novocab", "flops = 6 params tokens"
  bool identified = false;
  double a = FitResult::kUnknown;
  double b = FitResult::kUnknown;
  double growth = FitResult::kUnknown;  ///< see growth_of_params()
  std::vector<Training> optima;         ///< one a question
};

/// A fit with all that a person needs to judge it: what `sizewise fit --json` prints and
/// law.json holds.
struct FitReport {
  PluginChoice fit;
  RowCounts rows;
  FitResult result;  ///< status, reasons, law, objective, starts and exponents
  std::optional<BootstrapReport> bootstrap;
  std::optional<HessianReport> hessian;
  std::vector<ProfileReport> profiles;
  CostModel cost_model = CostModel::six_per_parameter();
  double largest_flops = FitResult::kUnknown;  ///< of the rows used
  /// The exponent of N* over the budgets of the rows used, by the counted FLOPs; NaN
  /// where they are not counted or the law is one of the budget itself.
  double counted_growth = FitResult::kUnknown;
  Interval params_seen;                   ///< smallest and largest N of the rows used
  Interval ratio_seen;                    ///< smallest and largest D / N of the rows used
  std::vector<Optimum> optima;            ///< one for each question
  std::optional<OutlierReport> outliers;  ///< none where there are none
  std::vector<Residual> residuals;        ///< of every row, where they were asked for
  std::optional<HoldOutReport> hold_out;
  std::vector<SensitivityRow> sensitivity;
  std::vector<std::string> warnings;  ///< the plugin's and the host's

  [[nodiscard]] bool identified() const {
    return result.status == FitStatus::kIdentified;
  }
};

/// Fits, bootstraps and answers the questions (none where the law is not identified,
/// unless forced). Rows whose status is not "done", and those that
/// a filter excludes, are left out and counted. A law that the data do not identify is a
/// report with that status, not an exception.
/// @throws Error kInput where no row is left, or params, tokens or loss are missing or
///   hold a value that no fit can use; kConfiguration for a request out of range, and
///   what the plugin throws
[[nodiscard]] FitReport fit_runs(const RunTable& runs,
                                 const FitRequest& request,
                                 const Fit& fit,
                                 const CostModel& cost_model);

/// What stands for a fit of runs of which none can be fitted: not identified, with this
/// reason.
[[nodiscard]] FitReport unfitted(const RunTable& runs,
                                 const FitRequest& request,
                                 Reason why,
                                 const CostModel& cost_model);

}  // namespace sizewise::fitting

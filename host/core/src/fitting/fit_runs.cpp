#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/answers.hpp"
#include "fitting/bootstrap.hpp"
#include "fitting/data_checks.hpp"
#include "fitting/fit_job.hpp"
#include "fitting/hold_out.hpp"
#include "fitting/identifiability.hpp"
#include "fitting/profile.hpp"
#include "fitting/resampling.hpp"
#include "fitting/residuals.hpp"
#include "fitting/row_selection.hpp"
#include "fitting/sensitivity.hpp"
#include "fitting/standard_errors.hpp"

namespace sizewise::fitting {
namespace {

void check(const FitRequest& request) {
  const auto refuse = [](std::string_view what, auto value, std::string_view allowed) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} is {}; allowed: {}", what, value, allowed));
  };
  if (request.bootstrap < 0) {
    refuse("the number of bootstrap replicates", request.bootstrap, "0 and above");
  }
  if (!(request.level > 0.0 && request.level < 1.0)) {
    refuse("the level of the intervals", request.level, "between 0 and 1");
  }
  if (request.threads < 1) {
    refuse("the number of threads", request.threads, "1 and above");
  }
  if (!std::isnan(request.noise) && !(request.noise > 0.0 && request.noise < 1.0)) {
    refuse("the noise of ln loss", request.noise, "above 0 and below 1");
  }
  for (const Question& question : request.asked.questions) {
    if (!(std::isfinite(question.value) && question.value > 0.0)) {
      refuse(fmt::format("the {} asked for", name_of(question.kind)),
             question.value,
             "finite and above 0");
    }
  }
}

FitResult fit_rows(const FitJob& job) {
  try {
    FitInput input{job.used, {}, nullptr};
    input.noise = job.request.noise;
    return job.run(input);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInput) {
      refuse_bad_value(job.used, job.places, job.request);
    }
    throw;
  }
}

/// The replicates that were asked for, or that the intervals need.
int replicates_for(const FitJob& job, const FitReport& report) {
  constexpr int kEnough = 200;
  constexpr std::size_t kMostRows = 20'000;  // beyond them it takes minutes
  const bool is_needed = job.request.bootstrap_where_needed &&
                         job.used.rows() <= kMostRows &&
                         (!report.hessian || clusters_of(job.used).unit == "run_id");
  return job.request.bootstrap == 0 && is_needed ? kEnough : job.request.bootstrap;
}

void measure_uncertainty(const FitJob& job, FitReport& report) {
  report.hessian = standard_errors(report.result, job.request.level);
  const int replicates = replicates_for(job, report);
  if (replicates > 0) {
    report.bootstrap = bootstrap_fit(job, report.result, replicates);
    give_intervals(*report.bootstrap, report.optima);
    judge_bootstrap(report);
  } else if (report.hessian && clusters_of(job.used).unit == "run_id") {
    report.warnings.emplace_back(
        "rows of one run_id share its luck, and the standard errors take all rows as "
        "independent: --bootstrap N draws whole runs");
  }
  if (!report.bootstrap && !report.hessian) {
    report.warnings.emplace_back(
        "this fit tells no standard errors: --bootstrap N gives intervals");
  }
  if (report.result.law.form != "power") {
    judge_exponent(report);
  }
  for (const std::string& name : job.request.profiles) {
    report.profiles.push_back(profile_of(job, report.result, name));
  }
}

void diagnose(const FitJob& job,
              const RunTable& runs,
              const std::vector<std::size_t>& held,
              FitReport& report) {
  if (job.request.residuals) {
    report.residuals = residuals_of(report.result.law, job.used, job.places, job.request);
  }
  report.outliers = find_outliers(job, report.result);
  report.hold_out = hold_out(job, runs, held, report.result);
  if (job.request.sensitivity) {
    report.sensitivity = sensitivity_of(job);
  }
}

void withhold_optima(const FitRequest& request, FitReport& report) {
  if (report.identified() || request.force || report.optima.empty()) {
    return;
  }
  report.optima.clear();
  report.warnings.emplace_back(
      "the law is not identified: nothing is recommended from it (--force does)");
}

}  // namespace

FitReport unfitted(const RunTable& runs,
                   const FitRequest& request,
                   Reason why,
                   const CostModel& cost_model) {
  FitReport report;
  report.fit = request.fit;
  report.cost_model = cost_model;
  report.rows = sort_rows(runs, request).counts;
  report.result.status = FitStatus::kNotIdentified;
  report.result.reasons = {std::move(why)};
  return report;
}

FitReport fit_runs(const RunTable& runs,
                   const FitRequest& request,
                   const Fit& fit,
                   const CostModel& cost_model) {
  check(request);
  FitReport report;
  report.fit = request.fit;
  report.cost_model = cost_model;
  RowSelection selection = select_rows(runs, request);
  report.rows = std::move(selection.counts);
  // A table of millions of rows is not copied where all of it is used.
  const bool is_whole = selection.used.size() == runs.rows();
  const RunTable selected = is_whole ? RunTable() : runs.select(selection.used);
  const FitJob job{is_whole ? runs : selected, selection.used, request, fit, cost_model};
  report.result = fit_rows(job);
  report.warnings = report.result.warnings;
  if (report.result.law.form != "power") {
    judge_rows(job.used, report.result);
  }
  describe_data(job.used, report);
  if (has_finite_law(report.result)) {
    answer_questions(request.asked, request.level, report);
    measure_uncertainty(job, report);
    diagnose(job, runs, selection.held_out, report);
  }
  withhold_optima(request, report);
  warn_of_data(job.used, report);
  warn_of_optima(report);
  warn_of_hold_out(report);
  return report;
}

}  // namespace sizewise::fitting

#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"
#include "sizewise/host.hpp"

#include "fitting/fit_report_json.hpp"
#include "fitting/recommend.hpp"
#include "loading/plugin_instance.hpp"
#include "planning/processors.hpp"
#include "session.hpp"

namespace sizewise {
namespace {

constexpr double kDefaultTarget = 10;  ///< times the largest budget trained

/// Every trial failed for the same kind of reason: the user should read that reason, not
/// a fit of nothing.
void refuse_where_all_failed(const std::vector<TrialState>& trials) {
  for (const TrialState& trial : trials) {
    if (trial.status != "failed") {
      return;
    }
  }
  if (!trials.empty()) {
    throw Error(ErrorCode::kTraining,
                fmt::format("all {} trials failed; trial {} (size {}): {}",
                            trials.size(),
                            trials.front().id,
                            trials.front().size,
                            trials.front().reason),
                "mend the cause, then `sizewise run DIR --retry-failed`");
  }
}

std::vector<CostPoint> cost_points(const planning::Plan& plan) {
  std::vector<CostPoint> points;
  std::set<double> seen;
  for (const planning::Trial& trial : plan.trials()) {
    if (seen.insert(trial.params).second) {
      points.push_back({trial.params, trial.flops_per_unit});
    }
  }
  return points;
}

std::vector<Flops> targets_of(const Experiment& experiment, const planning::Plan& plan) {
  if (!experiment.target_budgets.empty()) {
    return experiment.target_budgets;
  }
  double largest = 0;
  for (const Flops budget : experiment.budgets) {
    largest = std::max(largest, budget.value());
  }
  if (largest == 0) {
    for (const planning::Trial& trial : plan.trials()) {
      largest = std::max(largest, trial.flops());
    }
  }
  return {Flops(kDefaultTarget * largest)};
}

}  // namespace

fitting::FitReport Session::fit() {
  const auto plugin =
      loading::instantiate<Fit>(resolved_.fit.file, resolved_.fit.options);
  fitting::FitRequest request;
  request.fit = {resolved_.fit.id(), resolved_.fit.options};
  request.asked.questions = fitting::budget_questions(targets_of(experiment_, plan_));
  request.bootstrap = experiment_.bootstrap;
  request.seed = experiment_.recipe.seed;
  request.threads = planning::usable_cores();
  return fitting::fit_runs(
      running::run_records(plan_.trials(), results_, experiment_.recipe.seed),
      request,
      *plugin,
      CostModel::counted(cost_points(plan_)));
}

Outcome Session::conclude() {
  Outcome outcome;
  outcome.run_dir = settings_.run_dir;
  count_trials(plan_, results_, reused_trials_, outcome);
  outcome.interrupted = stopped_;
  if (!stopped_) {
    refuse_where_all_failed(outcome.trials);
    const fitting::FitReport report = fit();
    outcome.fit_json = fitting::fit_report_to_json(report).dump(2);
    directory_->save_law(outcome.fit_json + "\n");
    outcome.identified = report.identified();
    for (const fitting::Optimum& optimum : report.optima) {
      if (outcome.identified && std::isfinite(optimum.params.value())) {
        outcome.recommendations.push_back(
            fitting::recommend(report,
                               optimum,
                               *oracle_,
                               sizes(),
                               plan_.data,
                               fitting::largest_buildable_params()));
      }
    }
  }
  outcome.warnings = warnings_;
  outcome.seconds = meter_.seconds();
  if (!stopped_) {
    directory_->save_outcome(outcome.to_json() + "\n");
  }
  return outcome;
}

std::filesystem::path default_run_dir(const Experiment& experiment) {
  constexpr std::size_t kDigits = 8;
  const auto name = [](const PluginChoice& choice) {
    return std::filesystem::path(choice.plugin).stem().string();
  };
  return std::filesystem::path("sizewise-runs") /
         fmt::format("{}-{}-{}",
                     name(experiment.model),
                     name(experiment.dataset),
                     sha256_of_text(experiment.to_json()).substr(0, kDigits));
}

Outcome find_optimal(const Experiment& experiment,
                     const RunSettings& settings,
                     const Callbacks& callbacks) {
  Session session(experiment, settings, callbacks);
  session.train();
  return session.conclude();
}

Outcome continue_run(const RunSettings& settings, const Callbacks& callbacks) {
  Session session(std::nullopt, settings, callbacks);
  session.train();
  return session.conclude();
}

}  // namespace sizewise

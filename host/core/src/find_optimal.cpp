#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"
#include "sizewise/host.hpp"
#include "sizewise/optimum.hpp"

#include "advice.hpp"
#include "boundary.hpp"
#include "fitting/fit_report_json.hpp"
#include "fitting/recommend.hpp"
#include "loading/plugin_instance.hpp"
#include "planning/processors.hpp"
#include "session.hpp"
#include "tables/json_values.hpp"

namespace sizewise {
namespace {

constexpr double kDefaultTarget = 10;  ///< times the largest budget trained

/// Whether there is a row to fit: a pilot is none.
bool has_loss(const std::vector<TrialState>& trials) {
  return std::any_of(trials.begin(), trials.end(), [](const TrialState& trial) {
    return trial.status == "done";
  });
}

/// Why there is no loss to fit. Where every trial failed, the user should read the cause.
Reason why_no_loss(const std::vector<TrialState>& trials) {
  const bool all_failed =
      std::all_of(trials.begin(), trials.end(), [](const TrialState& trial) {
        return trial.status == "failed";
      });
  if (all_failed && !trials.empty()) {
    return {"no_loss",
            fmt::format("all {} trials failed; trial {} (size {}): {}",
                        trials.size(),
                        trials.front().id,
                        trials.front().size,
                        trials.front().reason)};
  }
  return {"no_loss",
          fmt::format("none of {} trials trained to a loss that can be fitted",
                      trials.size())};
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

/// Runs that a known law made, with the columns of a real sweep: what shows the form of a
/// fit's law before anything is trained.
RunTable made_up_runs() {
  std::vector<planning::Trial> trials;
  running::Results results;
  for (const double budget : {1e15, 1e16, 1e17}) {
    for (const double params : {1e6, 3e6, 1e7, 3e7, 1e8}) {
      planning::Trial trial;
      trial.id = fmt::format("{}-{}", budget, params);
      trial.size = std::llround(params);
      trial.tokens = std::llround(budget / 6 / params);
      trial.budget = Flops(budget);
      running::TrialResult& result = results[trial.id];
      result.status = "done";
      result.params = params;
      result.tokens = trial.tokens;
      // Source: Hoffmann et al. 2022 (arXiv 2203.15556), section D.3.
      result.loss = 1.69 + 406.4 / std::pow(params, 0.34) +
                    410.7 / std::pow(static_cast<double>(trial.tokens), 0.28);
      result.flops = budget;
      result.flops_6nd = budget;
      result.epochs = 1;
      trials.push_back(std::move(trial));
    }
  }
  return running::run_records(trials, results, 0);
}

/// From the first question to the answer.
Outcome answer(const std::optional<Experiment>& experiment,
               const RunSettings& settings,
               const Callbacks& callbacks) {
  try {
    Session session(experiment, settings, callbacks);
    session.train();
    return session.conclude();
  } catch (const running::Stopped&) {
    // Before the first round was planned: there is nothing to lose.
    Outcome outcome;
    outcome.run_dir = settings.run_dir;
    outcome.interrupted = true;
    return outcome;
  }
}

}  // namespace

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

fitting::FitReport Session::fit(const std::vector<TrialState>& trials) {
  const auto plugin =
      loading::instantiate<Fit>(resolved_.fit.file, resolved_.fit.options);
  fitting::FitRequest request;
  request.fit = {resolved_.fit.id(), resolved_.fit.options};
  request.asked.questions = fitting::budget_questions(targets_of(experiment_, plan_));
  request.bootstrap = experiment_.bootstrap;
  request.seed = experiment_.recipe.seed;
  request.threads = planning::usable_cores();
  const RunTable runs =
      running::run_records(plan_.trials(), results_, experiment_.recipe.seed);
  const CostModel cost_model = CostModel::counted(cost_points(plan_));
  return has_loss(trials)
             ? fitting::fit_runs(runs, request, *plugin, cost_model)
             : fitting::unfitted(runs, request, why_no_loss(trials), cost_model);
}

void Session::check_fit() {
  constexpr Flops kAnyBudget(1e18);
  const auto plugin =
      loading::instantiate<Fit>(resolved_.fit.file, resolved_.fit.options);
  FitResult result;
  try {
    result = loading::call_plugin(resolved_.fit.id(), [&] {
      return plugin->fit({made_up_runs(), {}, nullptr});
    });
  } catch (const Error&) {
    return;  // what it thinks of real runs only they can show
  }
  if (result.law.values.empty()) {
    return;
  }
  try {
    static_cast<void>(
        best_for_budget(result.law, CostModel::six_per_parameter(), kAnyBudget));
  } catch (const Error& error) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("fit '{}': {}", resolved_.fit.id(), error.message()),
                "choose one that does: --fit approach2 or --fit approach3");
  }
}

void Session::recommend(const fitting::FitReport& report, Outcome& outcome) {
  for (const fitting::Optimum& optimum : report.optima) {
    if (!outcome.identified || !std::isfinite(optimum.params.value())) {
      continue;
    }
    try {
      outcome.recommendations.push_back(
          fitting::recommend(report,
                             optimum,
                             *oracle_,
                             sizes(),
                             plan_.data,
                             planning::largest_trainable_model()));
    } catch (const running::Stopped&) {
      throw;
    } catch (const Error& error) {
      // The law, and what it says of other budgets, stands.
      warn(fmt::format("no size is recommended for {:.4g} FLOPs ({:.4g} parameters): {}",
                       optimum.budget.value(),
                       optimum.params.value(),
                       error.message()));
    }
  }
}

Outcome Session::conclude() {
  Outcome outcome;
  outcome.run_dir = settings_.run_dir;
  count_trials(plan_, results_, reused_trials_, outcome);
  if (!directory_) {
    return outcome;  // nothing was trained
  }
  if (!stopped_) {
    const fitting::FitReport report = fit(outcome.trials);
    outcome.fit_json = tables::json_text(fitting::fit_report_to_json(report));
    directory_->save_law(outcome.fit_json + "\n");
    outcome.identified = report.identified();
    try {
      recommend(report, outcome);
      ship(outcome);
    } catch (const running::Stopped&) {
      stopped_ = true;
    }
    outcome.advice = advice_for(report, outcome.trials, sizes(), settings_.run_dir);
    if (outcome.identified) {
      for (const std::string& line : edge_advice(outcome.trials, sizes())) {
        warn(line);
      }
    }
  }
  outcome.interrupted = stopped_;
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
  return with_errors_alone([&] {
    return answer(experiment, settings, callbacks);
  });
}

Outcome continue_run(const RunSettings& settings, const Callbacks& callbacks) {
  return with_errors_alone([&] {
    return answer(std::nullopt, settings, callbacks);
  });
}

}  // namespace sizewise

#include "session.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "loading/plugin_instance.hpp"
#include "planning/processors.hpp"
#include "tables/run_table_file.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
using planning::Trial;
using running::TrialResult;

/// A sweep that never ends is stopped after this many rounds.
constexpr std::size_t kMostRounds = 1000;
/// runs.csv is derived, so it need not be written after every trial.
constexpr std::chrono::seconds kSavePause{2};

std::vector<Flops> sorted(std::vector<Flops> budgets) {
  std::sort(budgets.begin(), budgets.end());
  budgets.erase(std::unique(budgets.begin(), budgets.end()), budgets.end());
  return budgets;
}

std::filesystem::path working_folder(const planning::Plan& plan) {
  std::error_code ignored;
  const std::filesystem::path folder = plan.working_folder;
  return std::filesystem::is_directory(folder, ignored) ? folder
                                                        : std::filesystem::path();
}

/// The folders given now, then those of the plan that are not among them.
std::vector<std::filesystem::path> merged(std::vector<std::filesystem::path> now,
                                          const std::vector<std::string>& before) {
  std::error_code ignored;
  for (const std::filesystem::path folder : before) {
    const bool known = std::any_of(now.begin(), now.end(), [&](const auto& other) {
      return std::filesystem::equivalent(folder, other, ignored);
    });
    if (!known && std::filesystem::is_directory(folder, ignored)) {
      now.push_back(folder);
    }
  }
  return now;
}

json trained_with(const planning::Provenance& provenance) {
  return {{"trainer", provenance.trainer},
          {"plugins", provenance.plugins},
          {"fingerprint", provenance.fingerprint}};
}

}  // namespace

Session::Session(const std::optional<Experiment>& experiment,
                 RunSettings settings,
                 Callbacks callbacks)
    : settings_(std::move(settings)), callbacks_(std::move(callbacks)) {
  find_directory(experiment);
  prepare();
}

void Session::find_directory(const std::optional<Experiment>& experiment) {
  if (settings_.run_dir.empty() && experiment) {
    settings_.run_dir = default_run_dir(*experiment);
  }
  if (!experiment || running::RunDirectory::exists(settings_.run_dir)) {
    directory_.emplace(running::RunDirectory::open(settings_.run_dir));
    plan_ = directory_->plan();
    check_threads(plan_);
    settings_.plugin_dirs = merged(settings_.plugin_dirs, plan_.plugin_dirs);
  } else {
    running::RunDirectory::check_free(settings_.run_dir);
    plan_.threads = settings_.threads;
    plan_.working_folder = std::filesystem::current_path().string();
    for (const std::filesystem::path& folder : settings_.plugin_dirs) {
      plan_.plugin_dirs.push_back(std::filesystem::absolute(folder).string());
    }
  }
  const Experiment& asked = experiment ? *experiment : directory_->experiment();
  const planning::Slots slots =
      planning::choose_slots(settings_.jobs,
                             directory_ ? plan_.threads : settings_.threads,
                             asked.recipe.device,
                             planning::usable_cores());
  plan_.threads = slots.threads;
  settings_.jobs = slots.jobs;
  resolved_ = planning::resolve(
      loading::PluginCatalog::scan(loading::default_search_path(settings_.plugin_dirs)),
      asked,
      slots.threads);
  experiment_ = planning::completed(asked, resolved_);
  if (directory_) {
    directory_->check_same(experiment_);
  }
  for (const std::string& warning : resolved_.warnings) {
    warn(warning);
  }
}

void Session::check_threads(const planning::Plan& plan) const {
  if (settings_.threads != 0 && settings_.threads != plan.threads) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--threads is {}; the trials of {} are trained with {}, and another "
                    "number would change their results",
                    settings_.threads,
                    settings_.run_dir.string(),
                    plan.threads),
        fmt::format("leave --threads out, or say --threads {}", plan.threads));
  }
}

void Session::prepare() {
  running::WorkerProgram program;
  program.program = running::find_worker_program(settings_.worker);
  program.working_folder = working_folder(plan_);
  pool_ = std::make_unique<running::WorkerPool>(
      running::PoolSettings{program, settings_.jobs, settings_.patience, settings_.stop});
  oracle_ = std::make_unique<running::WorkerOracle>(
      *pool_, resolved_.setting, [this](const std::string& text) {
        warn(text);
      });
  sweep_ = loading::instantiate<Sweep>(resolved_.sweep.file, resolved_.sweep.options);
  const planning::DatasetFacts data = oracle_->dataset();
  const planning::Provenance provenance =
      planning::provenance_of(resolved_.setting, data, oracle_->trainer());
  view_ = std::make_unique<planning::SweepView>(*oracle_,
                                                sorted(experiment_.budgets),
                                                sizes(),
                                                data.info,
                                                experiment_.recipe.batch_size);
  if (directory_) {
    accept_or_refuse(provenance);
    for (const Trial& trial : plan_.trials()) {
      view_->remember({trial.size, Parameters(trial.params), trial.flops_per_unit});
    }
    std::vector<std::string> damaged;
    results_ = directory_->results(plan_.trials(), damaged);
    for (const std::string& warning : damaged) {
      warn(warning);
    }
    for (const auto& [id, result] : results_) {
      reused_trials_.insert(id);
    }
    return;
  }
  plan_.provenance = provenance;
  plan_.data = data.info;
  check_contract();
  if (!plan_round()) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("sweep '{}' plans no trial", resolved_.sweep.id()),
                "give it larger budgets, or other options");
  }
}

void Session::accept_or_refuse(const planning::Provenance& now) {
  const std::string difference = planning::first_difference(plan_.provenance, now);
  if (difference.empty()) {
    return;
  }
  if (!settings_.accept_changes) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            "{} was begun with other files: {}", settings_.run_dir.string(), difference),
        "restore them, begin a new run directory, or go on with both under "
        "--accept-changes");
  }
  warn(fmt::format("accepted: {}; trials that are done keep their results", difference));
  plan_.provenance = now;
  plan_.changes.push_back(
      fmt::format("after {} rounds: {}", plan_.rounds.size(), difference));
  directory_->save_plan(plan_);
}

void Session::check_contract() {
  const SizeSpec& spec = sizes();
  const std::set<int64_t> checked = {
      spec.minimum, spec.nearest(2.0 * static_cast<double>(spec.minimum))};
  const std::vector<int64_t> list(checked.begin(), checked.end());
  for (const SizeFacts& facts : oracle_->describe(list, true)) {
    view_->remember(facts);
  }
}

bool Session::plan_round() {
  if (plan_.rounds.size() >= kMostRounds) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("sweep '{}' asked for more than {} rounds",
                            resolved_.sweep.id(),
                            kMostRounds));
  }
  const RunTable so_far =
      running::run_records(plan_.trials(), results_, experiment_.recipe.seed);
  const std::vector<TrialRequest> requests =
      loading::call_plugin(resolved_.sweep.id(), [&] {
        return sweep_->next(so_far, *view_);
      });
  std::vector<Trial> trials = planning::make_trials(
      requests, resolved_.setting, plan_, *view_, resolved_.sweep.id());
  if (trials.empty()) {
    return false;
  }
  plan_.rounds.push_back(std::move(trials));
  if (directory_) {
    directory_->save_plan(plan_);
  }
  return true;
}

void Session::save() {
  if (directory_) {
    return;
  }
  directory_.emplace(
      running::RunDirectory::create(settings_.run_dir, experiment_, plan_));
  plan_ = directory_->plan();
  settings_.run_dir = directory_->folder();
}

void Session::train() {
  save();
  if (settings_.retry_failed) {
    retry_failed();
  }
  for (const Trial& trial : plan_.trials()) {
    meter_.plan(trial, results_.contains(trial.id));
  }
  while (train_missing()) {
    const std::size_t before = plan_.rounds.size();
    if (!plan_round()) {
      break;
    }
    for (const Trial& trial : plan_.rounds[before]) {
      meter_.plan(trial, results_.contains(trial.id));
    }
  }
  save_runs();
}

void Session::retry_failed() {
  for (const Trial& trial : plan_.trials()) {
    const auto found = results_.find(trial.id);
    if (found != results_.end() && found->second.status == "failed") {
      directory_->set_aside(trial.id, "failed");
      reused_trials_.erase(trial.id);
      results_.erase(found);
    }
  }
}

bool Session::train_missing() {
  std::vector<Trial> missing;
  std::set<std::string> taken;
  for (const Trial& trial : plan_.trials()) {
    if (!results_.contains(trial.id) && taken.insert(trial.id).second) {
      missing.push_back(trial);
    }
  }
  if (missing.empty()) {
    return true;
  }
  directory_->remove_outcome();
  const running::PoolListener listener{
      [this](const Trial& trial, TrialResult result, const std::string& log) {
        take(trial, std::move(result), log);
      },
      [this](const Trial& trial, const json& event) {
        meter_.hear(trial, event);
      },
      [this](const std::string& text) {
        warn(text);
      },
      [this] {
        tell_progress();
      },
      [this](const Trial& trial) {
        return directory_->metrics_file(trial.id).string();
      }};
  try {
    stopped_ =
        !pool_->run(planning::setting_to_json(resolved_.setting), missing, listener);
  } catch (const Error&) {
    save_runs();
    throw;
  }
  return !stopped_;
}

void Session::take(const Trial& trial, TrialResult result, const std::string& log) {
  result.trained_with = trained_with(plan_.provenance).dump();
  directory_->commit(result);
  try {
    directory_->save_log(trial.id, log);
  } catch (const Error& error) {
    // The result is what counts; it is safe by now.
    warn(fmt::format("the log of trial {} is lost: {}", trial.id, error.message()));
  }
  meter_.finish(trial);
  for (const std::string& warning : result.warnings) {
    warn(fmt::format("trial {} (size {}): {}", trial.id, trial.size, warning));
  }
  if (callbacks_.trial) {
    callbacks_.trial(state_of(trial, result, false));
  }
  results_[trial.id] = std::move(result);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_save_ > kSavePause) {
    last_save_ = now;
    save_runs();
  }
}

void Session::save_runs() {
  directory_->save_runs(tables::write_run_table(
      running::run_records(plan_.trials(), results_, experiment_.recipe.seed)));
}

void Session::warn(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) {
    return;  // many trials may say the same
  }
  warnings_.push_back(text);
  if (callbacks_.warning) {
    callbacks_.warning(text);
  }
}

void Session::tell_progress() {
  if (callbacks_.progress) {
    callbacks_.progress(meter_.now());
  }
}

}  // namespace sizewise

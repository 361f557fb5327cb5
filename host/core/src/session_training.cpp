#include <chrono>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "loading/plugin_instance.hpp"
#include "session.hpp"
#include "tables/run_table_file.hpp"

// The part of a Session that trains: round after round.

namespace sizewise {
namespace {

using nlohmann::json;
using planning::Trial;
using running::TrialResult;

/// A sweep that never ends is stopped after this many rounds.
constexpr std::size_t kMostRounds = 1000;
/// runs.csv is derived, so it need not be written after every trial.
constexpr std::chrono::seconds kSavePause{2};

json trained_with(const planning::Provenance& provenance) {
  return {{"trainer", provenance.trainer.version},
          {"torch", provenance.trainer.torch},
          {"plugins", provenance.plugins},
          {"fingerprint", provenance.fingerprint}};
}

}  // namespace

std::vector<TrialRequest> Session::ask_sweep(const RunTable& so_far) {
  try {
    return loading::call_plugin(resolved_.sweep.id(), [&] {
      return sweep_->next(so_far, *view_);
    });
  } catch (const Error&) {
    view_->rethrow_fault();
    throw;
  }
}

bool Session::plan_round() {
  if (plan_.rounds.size() >= kMostRounds) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("sweep '{}' asked for more than {} rounds",
                            resolved_.sweep.id(),
                            kMostRounds),
                "choose another --sweep, or options with which it ends");
  }
  const RunTable so_far =
      running::run_records(plan_.trials(), results_, experiment_.recipe.seed);
  const std::vector<TrialRequest> requests = ask_sweep(so_far);
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
  directory_ = std::make_unique<running::RunDirectory>(
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
  try {
    while (train_missing()) {
      const std::size_t before = plan_.rounds.size();
      if (!plan_round()) {
        break;
      }
      for (const Trial& trial : plan_.rounds[before]) {
        meter_.plan(trial, results_.contains(trial.id));
      }
    }
  } catch (const running::Stopped&) {
    stopped_ = true;
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

void Session::commit(const Trial& trial, TrialResult& result) {
  result.trained_with = trained_with(plan_.provenance).dump();
  if (directory_->commit(result) == running::Commit::kWritten) {
    return;
  }
  // What stands in the folder is the truth, unless it is damaged.
  std::vector<std::string> damaged;
  running::Results stored = directory_->results({trial}, damaged);
  if (stored.contains(trial.id)) {
    result = std::move(stored.at(trial.id));
    warn(fmt::format("trial {} has a result from elsewhere, which stays", trial.id));
  } else {
    static_cast<void>(directory_->commit(result));
  }
}

void Session::take(const Trial& trial, TrialResult result, const std::string& log) {
  commit(trial, result);
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

}  // namespace sizewise

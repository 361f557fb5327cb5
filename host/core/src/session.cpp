#include "session.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "boundary.hpp"
#include "loading/plugin_instance.hpp"
#include "planning/feasibility.hpp"
#include "planning/processors.hpp"
#include "quantize_model.hpp"

namespace sizewise {
namespace {

using planning::Trial;

std::vector<Flops> sorted(std::vector<Flops> budgets) {
  std::sort(budgets.begin(), budgets.end());
  budgets.erase(std::unique(budgets.begin(), budgets.end()), budgets.end());
  return budgets;
}

/// A path as a run directory's files hold it.
std::string utf8_path(const std::filesystem::path& path) {
  std::string text = path.string();
  if (!is_utf8(text)) {
    throw Error(ErrorCode::kInput,
                fmt::format("the path of the folder {} is not UTF-8", text),
                "rename it, or work in another folder");
  }
  return text;
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

}  // namespace

std::filesystem::path working_folder(const planning::Plan& plan) {
  std::error_code ignored;
  const std::filesystem::path folder = plan.working_folder;
  return std::filesystem::is_directory(folder, ignored) ? folder
                                                        : std::filesystem::path();
}

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
    directory_ = std::make_unique<running::RunDirectory>(
        running::RunDirectory::open(settings_.run_dir));
    plan_ = directory_->plan();
    check_threads(plan_);
    settings_.plugin_dirs = merged(settings_.plugin_dirs, plan_.plugin_dirs);
  } else {
    running::RunDirectory::check_free(settings_.run_dir);
    plan_.threads = settings_.threads;
    plan_.working_folder = utf8_path(std::filesystem::current_path());
    for (const std::filesystem::path& folder : settings_.plugin_dirs) {
      plan_.plugin_dirs.push_back(utf8_path(std::filesystem::absolute(folder)));
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
  catalog_ =
      loading::PluginCatalog::scan(loading::default_search_path(settings_.plugin_dirs));
  resolved_ = planning::resolve(catalog_, asked, slots.threads);
  check_positive("calibration-batches", settings_.calibration_batches);
  if (!settings_.quantizer.plugin.empty()) {
    quantizer_ = planning::resolve(
        catalog_, PluginKind::kQuantizer, settings_.quantizer, resolved_.warnings);
  }
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
      *pool_,
      resolved_.setting,
      running::OracleListener{[this](const std::string& text) {
                                warn(text);
                              },
                              [this](const std::string& text) {
                                say(text);
                              }});
  sweep_ = loading::instantiate<Sweep>(resolved_.sweep.file, resolved_.sweep.options);
  const planning::DatasetFacts data = oracle_->dataset();
  planning::check_batch(experiment_.recipe.batch_size, data.info);
  if (quantizer_) {
    oracle_->check_quantizer(*quantizer_);
  }
  const planning::Provenance provenance =
      planning::provenance_of(resolved_.setting, data, oracle_->trainer());
  meter_.set_unit(data.info.unit);
  view_ = std::make_unique<planning::SweepView>(*oracle_,
                                                sorted(experiment_.budgets),
                                                sizes(),
                                                data.info,
                                                experiment_.recipe.batch_size,
                                                planning::largest_trainable_model());
  if (directory_) {
    accept_or_refuse(provenance);
    take_up();
  } else {
    plan_.provenance = provenance;
    plan_.data = data.info;
    begin();
  }
}

void Session::take_up() {
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
}

void Session::begin() {
  check_fit();
  check_contract();
  planning::check_budgets(experiment_.budgets,
                          view_->describe(sizes().minimum),
                          plan_.data,
                          planning::largest_trainable_model());
  if (!plan_round()) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("sweep '{}' plans no trial", resolved_.sweep.id()),
                "give it larger budgets, or other options");
  }
  const std::vector<Trial>& first = plan_.rounds.front();
  const bool takes_budgets =
      std::any_of(first.begin(), first.end(), [](const auto& trial) {
        return trial.pilot || trial.budget;
      });
  if (const std::string few = planning::few_budgets_warning(experiment_.budgets);
      takes_budgets && !few.empty()) {
    warn(few);
  }
  if (!takes_budgets && !experiment_.budgets.empty()) {
    warn(
        fmt::format("sweep '{}' does not train to --budgets: they only say for which "
                    "budget a size is named",
                    resolved_.sweep.id()));
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

void Session::warn(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) {
    return;  // many trials may say the same
  }
  warnings_.push_back(text);
  if (callbacks_.warning) {
    callbacks_.warning(text);
  }
}

void Session::say(const std::string& text) {
  if (callbacks_.log) {
    callbacks_.log(text);
  }
}

void Session::tell_progress() {
  if (callbacks_.progress) {
    callbacks_.progress(meter_.now());
  }
}

}  // namespace sizewise

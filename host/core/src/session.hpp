#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sizewise/host.hpp"
#include "sizewise/sweep.hpp"

#include "fitting/fit_report.hpp"
#include "loading/plugin_catalog.hpp"
#include "planning/plan.hpp"
#include "planning/setting.hpp"
#include "planning/sweep_view.hpp"
#include "running/progress_meter.hpp"
#include "running/run_directory.hpp"
#include "running/run_records.hpp"
#include "running/worker_oracle.hpp"
#include "running/worker_pool.hpp"

namespace sizewise {

/// One experiment from its first question to its answer: the stages in their order. What
/// find_optimal() and the commands plan and run are made of. [one thread]
class Session {
 public:
  /// Finds the plugins, asks a worker about data and sizes, checks the model's contract
  /// and, for a new run, plans the first round. Nothing is written for a run that cannot
  /// begin.
  /// @param experiment absent: the one of the run directory, which must exist
  /// @throws Error as find_optimal(); running::Stopped where RunSettings::stop became
  /// true
  Session(const std::optional<Experiment>& experiment,
          RunSettings settings,
          Callbacks callbacks);

  [[nodiscard]] const planning::Plan& plan() const { return plan_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return settings_.run_dir; }
  [[nodiscard]] const SizeSpec& sizes() const { return resolved_.setting.sizes(); }

  /// Writes experiment.json and plan.json where the run is new.
  /// @throws Error kIo where the disk refuses or another program came first
  void save();

  /// Trains round after round until the sweep is done or RunSettings::stop is true.
  /// @throws Error as find_optimal()
  void train();

  /// Fits, recommends and writes law.json and outcome.json.
  /// @throws Error kTraining where every trial failed; kInput and kFit where the results
  /// cannot be fitted
  [[nodiscard]] Outcome conclude();

 private:
  void find_directory(const std::optional<Experiment>& experiment);
  void check_threads(const planning::Plan& plan) const;
  void prepare();
  /// Reads what the run directory has.
  void take_up();
  /// Checks and plans a new run.
  void begin();
  void check_fit();
  void accept_or_refuse(const planning::Provenance& now);
  void check_contract();
  std::vector<TrialRequest> ask_sweep(const RunTable& so_far);
  /// False where the sweep is done.
  bool plan_round();
  void retry_failed();
  /// False where it was told to stop.
  bool train_missing();
  /// Makes a result durable; afterwards it is what the folder holds.
  void commit(const planning::Trial& trial, running::TrialResult& result);
  void take(const planning::Trial& trial,
            running::TrialResult result,
            const std::string& log);
  void save_runs();
  void warn(const std::string& text);
  void tell_progress();
  [[nodiscard]] fitting::FitReport fit(const std::vector<TrialState>& trials);
  void recommend(const fitting::FitReport& report, Outcome& outcome);
  /// Trains and quantizes what is recommended for the first target budget, where a
  /// quantizer was named. What fails there takes nothing from the answer.
  /// @throws running::Stopped
  void ship(Outcome& outcome);
  [[nodiscard]] TrainedModel train_recommended(const Recommendation& made);
  [[nodiscard]] QuantizationReport quantize_trained(
      const TrainedModel& model, const planning::ResolvedPlugin& quantizer);
  /// Those of the program, with warnings kept.
  [[nodiscard]] Callbacks inner_callbacks();
  void say(const std::string& text);

  RunSettings settings_;
  Callbacks callbacks_;
  running::ProgressMeter meter_;
  std::unique_ptr<running::RunDirectory> directory_;
  Experiment experiment_;
  loading::PluginCatalog catalog_;
  planning::ResolvedExperiment resolved_;
  std::optional<planning::ResolvedPlugin> quantizer_;
  std::shared_ptr<Sweep> sweep_;
  std::unique_ptr<running::WorkerPool> pool_;
  std::unique_ptr<running::WorkerOracle> oracle_;
  std::unique_ptr<planning::SweepView> view_;
  planning::Plan plan_;
  running::Results results_;
  std::set<std::string> reused_trials_;
  std::vector<std::string> warnings_;
  bool stopped_ = false;
  std::chrono::steady_clock::time_point last_save_;
};

/// A trial with its result, for the people who asked.
[[nodiscard]] TrialState state_of(const planning::Trial& trial,
                                  const running::TrialResult& result,
                                  bool reused);

/// The budgets to recommend for: those of the experiment, else ten times the largest that
/// the trials were for.
[[nodiscard]] std::vector<Flops> targets_of(const Experiment& experiment,
                                            const planning::Plan& plan);

/// The folder of the plan's workers; empty where it is gone: this process's.
[[nodiscard]] std::filesystem::path working_folder(const planning::Plan& plan);

/// Fills in the trials, their numbers and their FLOPs.
void count_trials(const planning::Plan& plan,
                  const running::Results& results,
                  const std::set<std::string>& reused,
                  Outcome& outcome);

}  // namespace sizewise

#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/experiment.hpp"

#include "planning/plan.hpp"
#include "running/durable_file.hpp"
#include "running/trial_result.hpp"

namespace sizewise::running {

/// A folder with everything of one run. The files are the truth: experiment.json and
/// results/TRIAL.json never change once written, plan.json only grows. Whether a trial
/// runs now is stored nowhere.
class RunDirectory {
 public:
  /// Whether the folder holds a run.
  [[nodiscard]] static bool exists(const std::filesystem::path& folder);

  /// Refuses a folder in which no run may begin.
  /// @throws Error kInput where it is not empty and holds no run, or is a file
  static void check_free(const std::filesystem::path& folder);

  /// Opens a run to continue it, and locks it until this object goes.
  /// @throws Error kInput where the folder holds no run, or experiment.json is damaged;
  ///   kIo where another program works in it (naming its process) or it cannot be written
  [[nodiscard]] static RunDirectory open(const std::filesystem::path& folder);

  /// Begins a run: makes the folder with experiment.json and plan.json, and locks it. Two
  /// programs that begin at once do not both succeed.
  /// @throws Error kIo where it cannot be written, or another program works in it or has
  /// begun a run there meanwhile; kInput as check_free()
  [[nodiscard]] static RunDirectory create(const std::filesystem::path& folder,
                                           const Experiment& experiment,
                                           const planning::Plan& plan);

  /// Opens a run to look at it: no lock, nothing is written.
  /// @throws Error kInput where the folder holds no run, or experiment.json is damaged
  [[nodiscard]] static RunDirectory read(const std::filesystem::path& folder);

  ~RunDirectory();
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const Experiment& experiment() const { return experiment_; }

  /// @throws Error kConfiguration naming the first field in which this run's experiment
  /// differs
  void check_same(const Experiment& experiment) const;

  /// @throws Error kInput where plan.json or experiment.json was changed by another hand
  [[nodiscard]] planning::Plan plan() const;
  /// @throws Error kIo where the disk refuses, as everything below that writes
  void save_plan(const planning::Plan& plan) const;

  /// The results of these trials that are there. A damaged one is set aside (unless the
  /// folder is only read) and a warning says so.
  /// @throws Error kIo where one cannot be read or set aside
  [[nodiscard]] std::map<std::string, TrialResult> results(
      const std::vector<planning::Trial>& trials,
      std::vector<std::string>& warnings) const;
  /// Once and for all; kThere: another result came first and stays.
  [[nodiscard]] Commit commit(const TrialResult& result) const;
  /// Renames a result out of the way.
  void set_aside(std::string_view trial, std::string_view why) const;

  void save_runs(std::string_view csv) const;
  void save_law(std::string_view json) const;
  void save_outcome(std::string_view json) const;
  /// The run is not finished any more.
  void remove_outcome() const;
  /// What a trial's worker printed; none where it printed nothing.
  void save_log(std::string_view trial, std::string_view text) const;
  [[nodiscard]] std::filesystem::path metrics_file(std::string_view trial) const;
  [[nodiscard]] std::filesystem::path runs_file() const { return folder_ / "runs.csv"; }
  [[nodiscard]] std::filesystem::path law_file() const { return folder_ / "law.json"; }
  /// What the run found, for `sizewise report`; absent while it is not finished.
  [[nodiscard]] std::filesystem::path outcome_file() const {
    return folder_ / "outcome.json";
  }

 private:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void lock();
  void load_experiment();
  [[nodiscard]] std::filesystem::path result_file(std::string_view trial) const;

  std::filesystem::path folder_;
  Experiment experiment_;
  int lock_ = -1;
};

}  // namespace sizewise::running

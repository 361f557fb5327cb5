#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "planning/plan.hpp"
#include "running/trial_result.hpp"
#include "running/worker.hpp"

namespace sizewise::running {

/// How a pool's workers are started and watched.
struct PoolSettings {
  WorkerProgram program;
  int jobs = 1;
  std::chrono::milliseconds patience = kPatience;  ///< of a trial that says nothing
  const std::atomic<bool>* stop = nullptr;         ///< borrowed; may be null
};

/// What the owner of a pool hears; each must be set. [the thread that runs the pool]
struct PoolListener {
  /// A trial ended, and what its worker printed meanwhile.
  std::function<void(const planning::Trial&, TrialResult, const std::string& log)>
      finished;
  std::function<void(const planning::Trial&, const nlohmann::json& event)> progress;
  std::function<void(const std::string&)> warning;
  /// At least five times a second.
  std::function<void()> tick;
  /// Where the worker writes the trial's curve.
  std::function<std::string(const planning::Trial&)> metrics_file;
};

/// Workers that live as long as the pool, so that data are read once. A worker that dies
/// is replaced. [one thread]
class WorkerPool {
 public:
  explicit WorkerPool(PoolSettings settings) : settings_(std::move(settings)) {}

  /// A worker for questions between trials: one that is alive, started if need be.
  /// @throws Error kInput or kIo where none can be started
  [[nodiscard]] Worker& idle_worker();

  /// PoolSettings::stop.
  [[nodiscard]] const std::atomic<bool>* stop() const { return settings_.stop; }

  /// Trains every trial, the one with the most FLOPs first. A trial whose worker dies is
  /// handed out once more, then failed; one that the worker refuses is failed at once.
  /// False where it was told to stop: the workers are killed and what they did is lost.
  /// @throws Error kIo where a worker cannot write or be started
  bool run(const nlohmann::json& setting,
           std::vector<planning::Trial> trials,
           const PoolListener& listener);

 private:
  struct Task {
    planning::Trial trial;
    int attempts = 0;
  };
  struct Slot {
    std::unique_ptr<Worker> worker;
    std::optional<Task> task;
  };

  [[nodiscard]] bool stopped() const;
  void hand_out(Slot& slot, const nlohmann::json& setting, const PoolListener& listener);
  void listen(Slot& slot, const PoolListener& listener);
  void conclude(Slot& slot, Reply reply, const PoolListener& listener);
  void wait();
  void kill_all();

  PoolSettings settings_;
  std::vector<Slot> slots_;
  std::deque<Task> waiting_;
};

}  // namespace sizewise::running

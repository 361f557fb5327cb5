#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/experiment.hpp"
#include "sizewise/quantization.hpp"
#include "sizewise/units.hpp"

namespace sizewise {

/// Where and how trials run. Nothing here changes what a trial's result is, except
/// `threads`, which a run directory therefore keeps.
struct RunSettings {
  /// Everything is written here; a folder that holds this very experiment is continued.
  /// Empty: default_run_dir().
  std::filesystem::path run_dir;
  /// Workers at a time; 0: as many as there are cores for threads of one worker.
  int jobs = 0;
  /// Threads of one worker; 0: one on a CPU, where that is the fastest for a sweep.
  int threads = 0;
  std::vector<std::filesystem::path> plugin_dirs;  ///< searched first
  std::filesystem::path worker;  ///< the worker program; empty: SIZEWISE_WORKER, or ours
  /// Go on where a plugin or the data differ from the ones that the run directory names.
  bool accept_changes = false;
  /// Train trials that failed again.
  bool retry_failed = false;
  /// Names a quantizer: train the size that is recommended for the first target budget
  /// into the run directory's `model`, and quantize it into `quantized`. No part of the
  /// experiment: the same run can be continued with another. Empty: neither.
  PluginChoice quantizer;
  /// Of that quantizer; absent: kDefaultCalibrationBatches.
  std::optional<int64_t> calibration_batches;
  /// The longest that a worker may say nothing during a trial.
  std::chrono::seconds patience{1800};
  /// Becomes true from another thread or a signal handler: stop cleanly, soon.
  const std::atomic<bool>* stop = nullptr;
};

/// One trial as it stands.
struct TrialState {
  std::string id;
  int64_t size = 0;
  Parameters params;
  Units tokens;
  std::optional<Flops> budget;  ///< the IsoFLOP budget that it belongs to
  /// "done", "diverged", "failed" or "pilot" (a pilot that is done); empty before the
  /// end.
  std::string status;
  Flops flops;          ///< counted
  double loss = 0;      ///< NaN where there is none
  std::string reason;   ///< why diverged or failed
  bool reused = false;  ///< the result was there already
};

/// How far a run is. [on the thread that called find_optimal()]
struct Progress {
  int trials_planned = 0;  ///< so far: a sweep may plan more
  int trials_finished = 0;
  double flops_planned = 0;
  double flops_finished = 0;  ///< with the part of the running trials that is behind them
  double seconds = 0;         ///< since the start
  double seconds_left = 0;    ///< NaN where nothing is known yet
  double units_per_second = 0;  ///< of all workers together
  std::string unit = "unit";    ///< what the data's units are: "token" or "example"
  /// Every trial that runs has seen its data and measures its loss now.
  bool validating = false;
  double loss = 0;    ///< the last training loss that a worker told; NaN before
  std::string trial;  ///< the trial of that loss
};

/// How far a quantization is. [on the thread that called]
struct StageProgress {
  std::string stage;  ///< "probe", "calibrate", "quantize" or "evaluate"
  int64_t done = 0;
  int64_t total = 0;
};

/// What the program that runs an experiment wants to hear; each may be empty. Called on
/// the thread that called find_optimal().
struct Callbacks {
  std::function<void(const Progress&)> progress;
  std::function<void(const TrialState&)> trial;  ///< a trial ended
  std::function<void(const StageProgress&)> stage;
  std::function<void(std::string_view)> warning;
  /// What a worker has been busy with, outside a trial, for more than a second.
  std::function<void(std::string_view)> log;
};

/// What to do with a training budget.
struct Recommendation {
  Flops budget;
  int64_t size = 0;           ///< the model's size option
  Parameters params;          ///< of that size, counted
  Units tokens;               ///< whole samples; training (size, tokens) costs the budget
  std::string unit = "unit";  ///< what `tokens` counts: "token" or "example"
  double loss = 0;  ///< that the law predicts, in nats; NaN where it predicts none
  /// 95 % interval of the optimal parameter count; NaN where an end is not bounded or no
  /// bootstrap was asked for.
  Parameters params_low;
  Parameters params_high;
  double extrapolation = 0;  ///< budget / largest budget trained
  std::string cost_model;    ///< "counted" or "6nd"
  std::string reason;        ///< in a sentence
};

/// The recommended model as it was trained, for a quantizer.
struct TrainedModel {
  std::filesystem::path folder;
  int64_t size = 0;
  Parameters params;
  Units tokens;
  double loss = 0;      ///< on the validation split, in nats
  double accuracy = 0;  ///< NaN where the loss counts none
  double seconds = 0;
  bool reused = false;  ///< it was there already
};

/// What find_optimal() found.
struct Outcome {
  std::filesystem::path run_dir;
  std::vector<TrialState> trials;  ///< in the order of the plan
  int planned = 0;
  int done = 0;  ///< pilots among them
  int diverged = 0;
  int failed = 0;
  int reused = 0;
  bool interrupted = false;  ///< RunSettings::stop became true; the rest is empty
  Flops training_flops;      ///< of all trials, pilots among them
  double seconds = 0;        ///< of this call
  bool identified = false;   ///< whether the data determine the law
  std::string fit_json;      ///< what `sizewise fit --json` prints
  std::vector<Recommendation> recommendations;  ///< one a target budget; see identified
  /// Of RunSettings::quantizer, where a size is recommended for the first target.
  std::optional<TrainedModel> model;
  std::optional<QuantizationReport> quantization;
  std::vector<std::string> advice;  ///< what to do where the law is not identified
  std::vector<std::string> warnings;

  /// What `sizewise find-optimal --json` prints: one JSON object.
  [[nodiscard]] std::string to_json() const;
  /// Adds the fit, the recommendations, the quantization, the warnings and the seconds of
  /// a text that to_json() wrote.
  /// @throws Error kInput where the text is none
  void add_answer(std::string_view json);
};

/// The folder that an experiment's run goes to unless told: it follows from the
/// experiment, so that the same command continues its own run.
[[nodiscard]] std::filesystem::path default_run_dir(const Experiment& experiment);

/// Plans, trains, fits and recommends: what the command `sizewise find-optimal` does.
/// Silent; the callbacks hear of progress. Continues the run directory where it holds
/// this experiment.
/// @throws Error kConfiguration and kInput for an experiment that cannot be run; kPlugin
/// where a plugin breaks its contract; kIo where the run directory cannot be written or
/// another program works in it
[[nodiscard]] Outcome find_optimal(const Experiment& experiment,
                                   const RunSettings& settings = {},
                                   const Callbacks& callbacks = {});

/// Continues a run directory, or only reads it where everything is there.
/// @throws Error as find_optimal(), and kInput where the folder is no run directory
[[nodiscard]] Outcome continue_run(const RunSettings& settings,
                                   const Callbacks& callbacks = {});

/// What a run directory holds now: trials, and the answer where the run has ended
/// (`interrupted` otherwise). Needs no worker and writes nothing.
/// @throws Error kInput where the folder is no run directory or a file in it is damaged
[[nodiscard]] Outcome read_run(const std::filesystem::path& run_dir);

/// Quantizes a trained model, or weights alone, in a worker and writes the result: what
/// the command `sizewise quantize` does. Silent; the callbacks hear of progress. The
/// float model stays as it is. Nothing is written unless it succeeds.
/// @returns success = false with errors of code kQuantization where a layer cannot be
///   quantized as asked
/// @throws Error kConfiguration for plugins, options and numbers that are not allowed;
///   kInput where the source cannot be used or is quantized already, or the output holds
///   a model; kPlugin where a plugin or the worker breaks its contract; kIo where the
///   output cannot be written
[[nodiscard]] QuantizationReport quantize(const QuantizationRequest& request,
                                          const Callbacks& callbacks = {});

}  // namespace sizewise

#include "run_flags.hpp"

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "experiment_flags.hpp"
#include "reporting/terminal_report.hpp"
#include "run_config.hpp"

namespace sizewise::cli {
namespace {

constexpr int kMostJobs = 4096;

/// A signal handler can reach nothing else.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void request_stop(int /*number*/) {
  stop_requested.store(true);
}

/// How an interrupted run goes on: a run directory does not remember the quantizer.
std::string continuation(const Outcome& outcome,
                         const RunSettings& settings,
                         const CommandLine& line) {
  if (!settings.quantizer.plugin.empty() && !line.has("quantizer")) {
    return "the same command";
  }
  std::string words = "sizewise run " + outcome.run_dir.string();
  for (const char* flag : {"quantizer", "quantizer-option", "calibration-batches"}) {
    for (const std::string& value : line.texts(flag)) {
      words += fmt::format(" --{} {}", flag, value);
    }
  }
  return words;
}

}  // namespace

CommandLine& add_run_flags(CommandLine& line) {
  line.value("jobs", "N", "workers at a time (default: one a core; one on a GPU)");
  line.value("threads",
             "N",
             "threads of a worker (default 1); part of what determines a result");
  line.value("worker", "FILE", "the worker program (default: the one beside this)");
  line.toggle("accept-changes",
              "go on though a plugin or the data have changed since the run began");
  return line.toggle("retry-failed", "train trials that failed again");
}

RunSettings run_settings_from(const CommandLine& line) {
  RunSettings settings;
  settings.jobs = static_cast<int>(line.integer_or("jobs", 0, 1, kMostJobs));
  settings.threads = static_cast<int>(line.integer_or("threads", 0, 1, kMostJobs));
  settings.worker = line.text_or("worker", "");
  settings.accept_changes = line.has("accept-changes");
  settings.retry_failed = line.has("retry-failed");
  settings.plugin_dirs = line.plugin_dirs();
  return settings;
}

CommandLine& add_quantizer_flags(CommandLine& line) {
  line.plugin(PluginKind::kQuantizer);
  return line.value(
      "calibration-batches",
      "N",
      fmt::format("batches that the quantizer's calibration runs (default {})",
                  kDefaultCalibrationBatches));
}

void choose_quantizer(const CommandLine& line, RunSettings& settings) {
  RunConfig config = run_config_from(line);
  settings.quantizer = choice_from(
      line, PluginKind::kQuantizer, scan_plugins(line), std::move(config.quantizer));
  settings.calibration_batches = config.calibration_batches;
  if (line.has("calibration-batches")) {
    settings.calibration_batches = line.integer_or("calibration-batches", 1, 1);
  }
  if (settings.calibration_batches && settings.quantizer.plugin.empty()) {
    throw Error(ErrorCode::kConfiguration,
                "calibration batches are given, but no quantizer",
                "name the plugin with --quantizer ID");
  }
}

StopSignals::StopSignals() {
  stop_requested.store(false);
  struct sigaction action{};
  action.sa_handler = &request_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

StopSignals::~StopSignals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>* StopSignals::flag() const {
  return &stop_requested;
}

Callbacks display_callbacks(ProgressDisplay& display, Console& console) {
  Callbacks callbacks;
  callbacks.progress = [&](const Progress& progress) {
    display.show(progress);
  };
  callbacks.trial = [&](const TrialState& trial) {
    display.show(trial);
  };
  callbacks.stage = [&](const StageProgress& progress) {
    display.show(progress);
  };
  callbacks.warning = [&](std::string_view text) {
    display.clear();
    console.warn(text);
  };
  callbacks.log = [&](std::string_view text) {
    display.clear();
    console.say(text);
  };
  return callbacks;
}

int report_outcome(const Outcome& outcome,
                   const RunSettings& settings,
                   const CommandLine& line,
                   Console& console) {
  if (line.json()) {
    console.result(outcome.to_json() + "\n");
  } else {
    console.result(reporting::outcome_report(outcome));
  }
  if (outcome.interrupted && outcome.planned == 0) {
    console.say("Stopped before a trial began.");
    return kInterrupted;
  }
  if (outcome.interrupted) {
    console.say(
        fmt::format("Stopped: {} of {} trials have a result. Continue with: "
                    "{}",
                    outcome.trials.size(),
                    outcome.planned,
                    continuation(outcome, settings, line)));
    return kInterrupted;
  }
  const bool is_unquantized = !settings.quantizer.plugin.empty() &&
                              (!outcome.quantization || !outcome.quantization->success);
  return outcome.recommendations.empty() || is_unquantized ? 1 : 0;
}

}  // namespace sizewise::cli

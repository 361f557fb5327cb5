#pragma once

#include <atomic>

#include "sizewise/host.hpp"

#include "command_line.hpp"
#include "console.hpp"
#include "progress_display.hpp"

// What the commands that train share: where and how, and being told to stop.

namespace sizewise::cli {

/// What a shell calls a program ended by Ctrl-C.
constexpr int kInterrupted = 130;

/// --jobs, --threads, --worker, --accept-changes and --retry-failed.
CommandLine& add_run_flags(CommandLine& line);

/// @throws Error kConfiguration for a number out of range
[[nodiscard]] RunSettings run_settings_from(const CommandLine& line);

/// --quantizer, its options and --calibration-batches, for what is recommended.
CommandLine& add_quantizer_flags(CommandLine& line);

/// Sets what those flags say, or else the --config file.
/// @throws Error kConfiguration for an unknown plugin or option or a bad value
void choose_quantizer(const CommandLine& line, RunSettings& settings);

/// While it lives, the first Ctrl-C (or SIGTERM) sets a flag instead of ending the
/// program; the second ends it. [one at a time]
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// For RunSettings::stop.
  [[nodiscard]] const std::atomic<bool>* flag() const;
};

/// Callbacks that show progress and say warnings. Both arguments are borrowed.
[[nodiscard]] Callbacks display_callbacks(ProgressDisplay& display, Console& console);

/// Prints an outcome as text or JSON, and says how to continue an interrupted run.
/// @returns the exit code: 0; 1 where the law is not identified, nothing can be
/// recommended, or the quantization that was asked for failed or was not made; 130 after
/// an interruption
int report_outcome(const Outcome& outcome,
                   const RunSettings& settings,
                   const CommandLine& line,
                   Console& console);

}  // namespace sizewise::cli

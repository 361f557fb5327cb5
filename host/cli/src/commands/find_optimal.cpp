#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "run_flags.hpp"

namespace sizewise::cli {

int find_optimal(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise find-optimal --model ID --dataset ID --loss ID --budgets LIST [flags]",
      "Trains models of several sizes on several budgets, fits a scaling law, and "
      "recommends a\nsize for a larger budget. The same command continues a run that was "
      "interrupted. With --quantizer the recommended model is trained, quantized, and "
      "both are measured.");
  add_experiment_flags(line);
  line.value("run-dir",
             "DIR",
             "everything is written here (default: sizewise-runs/MODEL-DATASET-HASH)");
  add_run_flags(line);
  add_quantizer_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const Experiment experiment = experiment_from(line, scan_plugins(line));
  RunSettings settings = run_settings_from(line);
  settings.run_dir = line.text_or("run-dir", "");
  choose_quantizer(line, settings);
  const StopSignals signals;
  settings.stop = signals.flag();
  ProgressDisplay display(console, stderr);
  const Outcome outcome =
      sizewise::find_optimal(experiment, settings, display_callbacks(display, console));
  display.clear();
  return report_outcome(outcome, settings, line, console);
}

}  // namespace sizewise::cli

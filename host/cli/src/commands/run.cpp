#include "commands/commands.hpp"
#include "run_flags.hpp"

namespace sizewise::cli {

int run(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise run DIR [flags]",
                   "Continues a run directory: trains what has no result yet, then fits "
                   "and recommends.\nNothing is trained twice.");
  line.positional("the run directory", 1, 1);
  add_run_flags(line);
  add_quantizer_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  RunSettings settings = run_settings_from(line);
  settings.run_dir = line.words().front();
  choose_quantizer(line, settings);
  const StopSignals signals;
  settings.stop = signals.flag();
  ProgressDisplay display(console, stderr);
  const Outcome outcome = continue_run(settings, display_callbacks(display, console));
  display.clear();
  return report_outcome(outcome, settings, line, console);
}

}  // namespace sizewise::cli

#include "sizewise/host.hpp"

#include "commands/commands.hpp"
#include "reporting/terminal_report.hpp"

namespace sizewise::cli {

int report(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise report DIR [flags]",
                   "Prints what a run directory holds: trials, law and recommendation. "
                   "Trains nothing,\nwrites nothing, and needs no worker.");
  line.positional("the run directory", 1, 1);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const Outcome outcome = read_run(line.words().front());
  for (const std::string& warning : outcome.warnings) {
    console.warn(warning);
  }
  if (outcome.interrupted) {
    console.say("This run is not finished. Continue with: sizewise run " +
                outcome.run_dir.string());
  }
  console.result(line.json() ? outcome.to_json() + "\n"
                             : reporting::outcome_report(outcome));
  return outcome.interrupted || !outcome.recommendations.empty() ? 0 : 1;
}

}  // namespace sizewise::cli

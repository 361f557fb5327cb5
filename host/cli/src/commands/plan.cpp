#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "reporting/terminal_report.hpp"
#include "run_flags.hpp"
#include "session.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

nlohmann::json plan_as_json(const planning::Plan& plan) {
  nlohmann::json rounds = nlohmann::json::array();
  for (const std::vector<planning::Trial>& round : plan.rounds) {
    rounds.push_back(nlohmann::json::array());
    for (const planning::Trial& trial : round) {
      rounds.back().push_back(
          {{"trial", trial.id},
           {"size", trial.size},
           {"params", trial.params},
           {"tokens", trial.tokens},
           {"flops", trial.flops()},
           {"budget_flops",
            trial.budget ? nlohmann::json(trial.budget->value()) : nlohmann::json()},
           {"pilot", trial.pilot}});
    }
  }
  return {{"rounds", rounds}, {"threads", plan.threads}};
}

}  // namespace

int plan(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise plan --model ID --dataset ID --loss ID --budgets LIST [flags]",
      "Plans the first round of a run and trains nothing. With --run-dir the plan is "
      "written\nthere, for `sizewise run DIR`.");
  add_experiment_flags(line);
  line.value("run-dir", "DIR", "begin a run here");
  add_run_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const Experiment experiment = experiment_from(line, scan_plugins(line));
  RunSettings settings = run_settings_from(line);
  settings.run_dir = line.text_or("run-dir", "");
  ProgressDisplay display(console, stderr);
  Session session(experiment, settings, display_callbacks(display, console));
  if (line.has("run-dir")) {
    session.save();
  }
  nlohmann::json object = plan_as_json(session.plan());
  if (line.has("run-dir")) {
    object["run_dir"] = session.folder().string();
    console.say(fmt::format("Start with: sizewise run {}", session.folder().string()));
  }
  console.result(line.json() ? tables::json_text(object) + "\n"
                             : reporting::plan_table(session.plan()));
  return 0;
}

}  // namespace sizewise::cli

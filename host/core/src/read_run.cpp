#include <cmath>

#include <unistd.h>

#include "sizewise/host.hpp"

#include "boundary.hpp"
#include "session.hpp"

namespace sizewise {

TrialState state_of(const planning::Trial& trial,
                    const running::TrialResult& result,
                    bool reused) {
  TrialState state;
  state.id = trial.id;
  state.size = trial.size;
  state.params = Parameters(result.params);
  state.tokens = Units(static_cast<double>(result.tokens));
  state.budget = trial.budget;
  state.status = running::row_status(trial, result);
  state.flops = Flops(result.flops);
  state.loss = result.loss;
  state.reason = result.reason;
  state.reused = reused;
  return state;
}

void count_trials(const planning::Plan& plan,
                  const running::Results& results,
                  const std::set<std::string>& reused,
                  Outcome& outcome) {
  double flops = 0;
  std::set<std::string> counted;
  for (const planning::Trial& trial : plan.trials()) {
    ++outcome.planned;
    const auto found = results.find(trial.id);
    if (found == results.end()) {
      continue;
    }
    const running::TrialResult& result = found->second;
    outcome.done += static_cast<int>(result.status == "done");
    outcome.diverged += static_cast<int>(result.status == "diverged");
    outcome.failed += static_cast<int>(result.status == "failed");
    outcome.reused += static_cast<int>(reused.contains(trial.id));
    outcome.trials.push_back(state_of(trial, result, reused.contains(trial.id)));
    if (counted.insert(trial.id).second && std::isfinite(result.flops)) {
      flops += result.flops;
    }
  }
  outcome.training_flops = Flops(flops);
}

namespace {

Outcome outcome_in(const std::filesystem::path& run_dir) {
  const running::RunDirectory directory = running::RunDirectory::read(run_dir);
  const planning::Plan plan = directory.plan();
  Outcome outcome;
  outcome.run_dir = directory.folder();
  count_trials(plan, directory.results(plan.trials(), outcome.warnings), {}, outcome);
  outcome.interrupted = ::access(directory.outcome_file().c_str(), F_OK) != 0 ||
                        outcome.trials.size() < static_cast<std::size_t>(outcome.planned);
  if (!outcome.interrupted) {
    outcome.add_answer(running::read_file(directory.outcome_file()));
  }
  return outcome;
}

}  // namespace

Outcome read_run(const std::filesystem::path& run_dir) {
  return with_errors_alone([&] {
    return outcome_in(run_dir);
  });
}

}  // namespace sizewise

// Asks for the best width of a GPT on some text, from C++ instead of the command line.
//
//   find_optimal_from_cpp TEXT_FILE RUN_DIR BUDGET...
#include <cstdio>
#include <cstdlib>

#include <sizewise/error.hpp>
#include <sizewise/host.hpp>

namespace {

sizewise::Experiment experiment_on(const char* text_file, char** budgets, int count) {
  sizewise::Experiment experiment;
  experiment.model.plugin = "gpt";
  experiment.model.options.set("layers", int64_t{2});
  experiment.dataset.plugin = "text";
  experiment.dataset.options.set("path", text_file);
  experiment.dataset.options.set("validation_fraction", 0.05);
  experiment.loss.plugin = "cross_entropy";
  experiment.fit.plugin = "approach2";
  for (int index = 0; index < count; ++index) {
    experiment.budgets.emplace_back(std::strtod(budgets[index], nullptr));
  }
  return experiment;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s TEXT_FILE RUN_DIR BUDGET...\n", argv[0]);
    return 2;
  }
  sizewise::RunSettings settings;
  settings.run_dir = argv[2];
  sizewise::Callbacks callbacks;
  callbacks.trial = [](const sizewise::TrialState& trial) {
    std::printf("%-9s width %lld, %.0f parameters, %.0f tokens: loss %.4f\n",
                trial.status.c_str(),
                static_cast<long long>(trial.size),
                trial.params.value(),
                trial.tokens.value(),
                trial.loss);
  };
  try {
    const sizewise::Outcome outcome = sizewise::find_optimal(
        experiment_on(argv[1], argv + 3, argc - 3), settings, callbacks);
    for (const sizewise::Recommendation& best : outcome.recommendations) {
      std::printf("with %.3g FLOPs: width %lld, %.0f tokens (%s)\n",
                  best.budget.value(),
                  static_cast<long long>(best.size),
                  best.tokens.value(),
                  outcome.identified ? "identified" : "not identified by these trials");
    }
    return outcome.identified ? 0 : 1;
  } catch (const sizewise::Error& error) {
    std::fprintf(stderr, "%s\n%s\n", error.message().c_str(), error.suggestion().c_str());
    return 2;
  }
}

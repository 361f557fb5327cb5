#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "reporting/terminal_report.hpp"
#include "run_flags.hpp"
#include "single_trial.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

std::string as_text(const nlohmann::json& result) {
  std::string text;
  for (const char* name : {"loss", "accuracy", "units", "seconds_per_batch", "bytes"}) {
    const nlohmann::json value = result.value(name, nlohmann::json());
    text += fmt::format("{:<18} {}\n", name, value.is_null() ? "-" : value.dump());
  }
  return text;
}

}  // namespace

int evaluate(const Arguments& arguments, Console& console) {
  CommandLine line("sizewise evaluate DIR [--dataset ID] [flags]",
                   "Measures a saved model on the validation split of a dataset (the one "
                   "that it was\ntrained on, unless another is named).");
  line.positional("the model's folder", 1, 1);
  add_single_model_flags(line);
  line.value("device", "NAME", "cpu (default), cuda or cuda:N");
  line.value("batch-size", "N", "samples in a batch");
  if (!line.parse(arguments, console)) {
    return 0;
  }
  const loading::PluginCatalog catalog = scan_plugins(line);
  EvaluationRequest request;
  request.checkpoint = line.words().front();
  request.model = choice_from(line, PluginKind::kModel, catalog);
  request.dataset = choice_from(line, PluginKind::kDataset, catalog);
  request.loss = choice_from(line, PluginKind::kLoss, catalog);
  request.device = line.text_or("device", "cpu");
  if (line.has("batch-size")) {
    request.batch_size = line.integer_or("batch-size", 1, 1);
  }
  request.threads = static_cast<int>(line.integer_or("threads", 0, 1, 4096));
  request.worker = line.text_or("worker", "");
  ProgressDisplay display(console, stderr);
  const nlohmann::json result =
      evaluate_checkpoint(catalog, request, display_callbacks(display, console));
  console.result(line.json() ? tables::json_text(result) + "\n" : as_text(result));
  return 0;
}

}  // namespace sizewise::cli

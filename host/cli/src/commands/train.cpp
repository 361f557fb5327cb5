#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "reporting/terminal_report.hpp"
#include "run_flags.hpp"
#include "running/worker.hpp"
#include "single_trial.hpp"
#include "tables/json_values.hpp"

namespace sizewise::cli {
namespace {

std::string as_text(const SingleTrial& trial) {
  const nlohmann::json& result = trial.result;
  const auto number = [&](const char* name, const char* format) {
    const double value = tables::number_or_nan(result, name);
    return std::isfinite(value) ? fmt::format(fmt::runtime(format), value)
                                : std::string("-");
  };
  std::string text = fmt::format("status      {}\n", result.value("status", "?"));
  if (const std::string reason = result.value("reason", ""); !reason.empty()) {
    text += fmt::format("reason      {}\n", reason);
  }
  text += fmt::format("size        {}\n", trial.size);
  text += fmt::format("parameters  {}\n", number("params", "{:.0f}"));
  text += fmt::format("tokens      {}\n", number("tokens", "{:.0f}"));
  text += fmt::format("FLOPs       {}\n", number("flops", "{:.4g}"));
  text += fmt::format("loss        {}\n", number("loss", "{:.6f}"));
  text += fmt::format("accuracy    {}\n", number("accuracy", "{:.4f}"));
  text += fmt::format("seconds     {}\n", number("seconds", "{:.2f}"));
  if (trial.saved) {
    text += fmt::format("saved in    {}\n", trial.output.string());
  }
  return text;
}

}  // namespace

int train(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise train --model ID --size S --dataset ID --loss ID --tokens D --output DIR "
      "[flags]",
      "Trains one model and writes it to a folder: model.safetensors and model.json.");
  add_single_model_flags(line);
  line.value("size", "S", "size of the model (`sizewise plugin show ID` says which)");
  line.value("tokens", "D", "units of training data, rounded to whole samples");
  line.value("output", "DIR", "a folder for the model");
  add_recipe_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  for (const char* needed : {"size", "tokens", "output"}) {
    if (!line.has(needed)) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--{} is missing", needed),
                  "run `sizewise train --help`");
    }
  }
  const loading::PluginCatalog catalog = scan_plugins(line);
  SingleTrialRequest request;
  request.model = choice_from(line, PluginKind::kModel, catalog);
  request.dataset = choice_from(line, PluginKind::kDataset, catalog);
  request.loss = choice_from(line, PluginKind::kLoss, catalog);
  request.recipe = recipe_from(line);
  request.size = line.integer_or("size", 0, 1);
  request.tokens = line.integer_or("tokens", 0, 1);
  request.output = line.text_or("output", "");
  request.threads = static_cast<int>(line.integer_or("threads", 0, 1, 4096));
  request.worker = line.text_or("worker", "");
  const StopSignals signals;
  request.stop = signals.flag();
  ProgressDisplay display(console, stderr);
  SingleTrial trial;
  try {
    trial = train_one(catalog, request, display_callbacks(display, console));
  } catch (const running::Stopped&) {
    display.clear();
    console.say("Stopped: nothing was saved.");
    return kInterrupted;
  }
  display.clear();
  if (line.json()) {
    nlohmann::json object = trial.result;
    object["size"] = trial.size;
    object["output"] =
        trial.saved ? nlohmann::json(trial.output.string()) : nlohmann::json();
    console.result(tables::json_text(object) + "\n");
  } else {
    console.result(as_text(trial));
  }
  return trial.saved ? 0 : 1;
}

}  // namespace sizewise::cli

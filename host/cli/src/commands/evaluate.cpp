#include <array>
#include <cmath>
#include <string>

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

/// A result of `evaluate`; of a quantized model beside the float one's.
std::string as_text(const nlohmann::json& result) {
  struct Line {
    const char* field;
    const char* title;
    const char* format;
    double scale;
  };
  constexpr std::array<Line, 5> kLines = {
      {{"loss", "loss", "{:.6g}", 1},
       {"accuracy", "accuracy", "{:.4f}", 1},
       {"units", "units", "{:.0f}", 1},
       {"seconds_per_batch", "ms per batch", "{:.3f}", 1e3},
       {"bytes", "weights, bytes", "{:.0f}", 1}}};
  const nlohmann::json float_model = result.value("float", nlohmann::json());
  const auto cell = [](const nlohmann::json& model, const Line& line) {
    const double value = tables::number_or_nan(model, line.field);
    return std::isfinite(value)
               ? fmt::format(fmt::runtime(line.format), line.scale * value)
               : std::string("-");
  };
  std::string text;
  if (float_model.is_object()) {
    text = fmt::format("{:<14}{:>14}{:>14}\n", "", "float", "quantized");
  }
  for (const Line& line : kLines) {
    text += fmt::format("{:<14}", line.title);
    if (float_model.is_object()) {
      text += fmt::format("{:>14}", cell(float_model, line));
    }
    text += fmt::format("{:>14}\n", cell(result, line));
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

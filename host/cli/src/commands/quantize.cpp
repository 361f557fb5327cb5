#include <string>
#include <utility>

#include "commands/commands.hpp"
#include "experiment_flags.hpp"
#include "reporting/quantization_text.hpp"
#include "run_flags.hpp"
#include "running/config_file.hpp"

namespace sizewise::cli {
namespace {

void add_flags(CommandLine& line) {
  line.positional("the model's folder or the file of weights", 1, 1);
  line.value("config", "FILE", "the same as JSON; flags go before it");
  add_quantizer_flags(line);
  add_single_model_flags(line);
  line.value("output", "DIR", "a folder for the quantized model");
  line.values(
      "include",
      "PATTERN",
      "quantize only layers of such names: * stands for any text, ? for one letter");
  line.values("exclude", "PATTERN", "leave layers of such names float");
  line.value("batch-size", "N", "samples in a batch (default: the training's)");
  line.toggle("no-evaluation", "measure neither the float nor the quantized model");
}

/// The request of --config (or the defaults) with all flags over it.
QuantizationRequest request_from(const CommandLine& line) {
  QuantizationRequest request =
      line.has("config") ? running::read_config(line.text_or("config", ""),
                                                &QuantizationRequest::from_json)
                         : QuantizationRequest{};
  const loading::PluginCatalog catalog = scan_plugins(line);
  const auto choose = [&](PluginKind kind, PluginChoice& choice) {
    choice = choice_from(line, kind, catalog, std::move(choice));
  };
  choose(PluginKind::kQuantizer, request.quantizer);
  choose(PluginKind::kModel, request.model);
  choose(PluginKind::kDataset, request.dataset);
  choose(PluginKind::kLoss, request.loss);
  const auto take_patterns = [&](const char* flag, std::vector<std::string>& patterns) {
    if (line.has(flag)) {
      patterns = line.texts(flag);
    }
  };
  take_patterns("include", request.include);
  take_patterns("exclude", request.exclude);
  const auto take_count = [&](const char* flag, std::optional<int64_t>& count) {
    if (line.has(flag)) {
      count = line.integer_or(flag, 1, 1);
    }
  };
  take_count("calibration-batches", request.calibration_batches);
  take_count("batch-size", request.batch_size);
  request.evaluate = request.evaluate && !line.has("no-evaluation");
  request.source = line.words().front();
  request.output = line.text_or("output", "");
  request.threads = static_cast<int>(line.integer_or("threads", 0, 1, 4096));
  request.worker = line.text_or("worker", "");
  request.plugin_dirs = line.plugin_dirs();
  return request;
}

}  // namespace

int quantize(const Arguments& arguments, Console& console) {
  CommandLine line(
      "sizewise quantize MODEL_DIR|FILE --quantizer ID --output DIR [flags]",
      "Quantizes a saved model, or a file of weights alone (safetensors, or a state dict "
      "of torch.save), and writes a compressed-tensors checkpoint. A model is calibrated "
      "and measured on the dataset that it was trained on, unless another is named.");
  add_flags(line);
  if (!line.parse(arguments, console)) {
    return 0;
  }
  QuantizationRequest request = request_from(line);
  const StopSignals signals;
  request.stop = signals.flag();
  ProgressDisplay display(console, stderr);
  const QuantizationReport report =
      sizewise::quantize(request, display_callbacks(display, console));
  display.clear();
  if (line.json()) {
    console.result(report.to_json() + "\n");
  } else if (!report.interrupted) {
    console.result(reporting::quantization_text(report));
  }
  if (report.interrupted) {
    console.say("Stopped: nothing was saved.");
    return kInterrupted;
  }
  if (!report.success) {
    console.say("The quantization failed, and nothing was written; the result says why.");
  }
  return report.success ? 0 : 1;
}

}  // namespace sizewise::cli

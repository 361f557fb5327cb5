#include "quantize_model.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "boundary.hpp"
#include "planning/setting.hpp"
#include "running/output_folder.hpp"
#include "running/worker.hpp"
#include "saved_model.hpp"
#include "tables/json_values.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// One question for a worker.
struct Task {
  std::string method;
  json params;
  /// What it writes, in this order; see running::OutputFolder.
  std::vector<std::string> files;
};

[[noreturn]] void refuse_quantized(const fs::path& source) {
  throw Error(
      ErrorCode::kInput,
      fmt::format("{} is quantized already; give the float model", source.string()),
      "name the folder that `sizewise train --output` wrote, or the float weights");
}

/// Whether the source is a model's folder; else it is a file, or a folder, of weights.
bool is_model(const fs::path& source) {
  std::error_code ignored;
  if (fs::is_regular_file(source, ignored)) {
    if (source.filename() == kWeightsFile &&
        is_quantized(fs::absolute(source).parent_path())) {
      refuse_quantized(source);
    }
    return false;
  }
  if (!fs::is_directory(source, ignored)) {
    throw Error(ErrorCode::kInput,
                fs::exists(source, ignored)
                    ? fmt::format("{} is neither a folder nor a file", source.string())
                    : fmt::format("there is no file or folder '{}'", source.string()),
                "name a model's folder, or a file of weights (safetensors, or a state "
                "dict of torch.save)");
  }
  if (is_quantized(source)) {
    refuse_quantized(source);
  }
  const bool has_facts = fs::exists(source / kFactsFile, ignored);
  if (!has_facts && fs::is_regular_file(source / kWeightsIndexFile, ignored)) {
    return false;
  }
  if (!has_facts && fs::is_regular_file(source / kWeightsFile, ignored)) {
    throw Error(
        ErrorCode::kInput,
        fmt::format(
            "{} holds weights, but no model: it has no {}", source.string(), kFactsFile),
        fmt::format("to quantize the weights alone, name the file: {}",
                    (source / kWeightsFile).string()));
  }
  return true;
}

void check_patterns(const char* flag, const std::vector<std::string>& patterns) {
  if (std::find(patterns.begin(), patterns.end(), "") != patterns.end()) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--{} is empty; allowed: a layer's name, or a pattern such as "
                    "'blocks.*.mlp_hidden'",
                    flag),
        fmt::format("leave --{} out for its default", flag));
  }
}

void check_request(const QuantizationRequest& request) {
  check_positive("calibration-batches", request.calibration_batches);
  check_positive("batch-size", request.batch_size);
  check_patterns("include", request.include);
  check_patterns("exclude", request.exclude);
  if (request.output.empty()) {
    throw Error(ErrorCode::kConfiguration,
                "--output is missing",
                "name a folder for the quantized model with --output DIR");
  }
}

/// Weights alone run no forward pass, so nothing can be measured with them.
void refuse_for_weights(const char* flag, bool is_given) {
  if (is_given) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--{} is given, and the source is a file of weights: without a "
                    "model there is nothing to run",
                    flag),
        fmt::format("leave --{} out, or give the model's folder", flag));
  }
}

/// What both methods take.
json common_params(const QuantizationRequest& request,
                   const planning::ResolvedPlugin& quantizer) {
  return {{"quantizer", planning::plugin_to_json(quantizer)},
          {"output", fs::absolute(request.output).string()},
          {"include", request.include},
          {"exclude", request.exclude},
          {"threads", threads_or_all(request.threads)}};
}

Task weights_task(const QuantizationRequest& request, json params) {
  refuse_for_weights("dataset", !request.dataset.plugin.empty());
  refuse_for_weights("loss", !request.loss.plugin.empty());
  refuse_for_weights("model", !request.model.plugin.empty());
  refuse_for_weights("calibration-batches", request.calibration_batches.has_value());
  refuse_for_weights("batch-size", request.batch_size.has_value());
  params["weights"] = fs::absolute(request.source).string();
  return {"quantize_weights", std::move(params), {kWeightsFile, kFormatFile}};
}

Task model_task(const loading::PluginCatalog& catalog,
                const QuantizationRequest& request,
                json params,
                std::vector<std::string>& warnings) {
  const json facts = read_facts(request.source);
  const auto chosen = [&](PluginKind kind, const PluginChoice& given) {
    return planning::plugin_to_json(planning::resolve(
        catalog, kind, choice_or(given, facts, std::string(to_string(kind))), warnings));
  };
  params["checkpoint"] = fs::absolute(request.source).string();
  params["model"] = {{"path", chosen(PluginKind::kModel, request.model).at("path")}};
  params["dataset"] = chosen(PluginKind::kDataset, request.dataset);
  params["loss"] = chosen(PluginKind::kLoss, request.loss);
  params["calibration_batches"] =
      request.calibration_batches.value_or(kDefaultCalibrationBatches);
  params["evaluate"] = request.evaluate;
  if (request.batch_size) {
    params["batch_size"] = *request.batch_size;
  }
  return {"quantize", std::move(params), {kWeightsFile, kFormatFile, kFactsFile}};
}

void tell_stage(const json& event, const Callbacks& callbacks) {
  if (callbacks.stage && event.value("event", "") == "progress") {
    callbacks.stage({event.value("stage", ""),
                     event.value("done", int64_t{0}),
                     event.value("total", int64_t{0})});
  }
}

QuantizationReport report_of(const json& answer, const std::string& method) {
  try {
    return QuantizationReport::from_json(answer.dump());
  } catch (const Error& error) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("the worker's answer to `{}` is not as the protocol says: {}",
                            method,
                            error.message()),
                "use the worker that was installed with this program");
  }
}

}  // namespace

void check_positive(const char* flag, const std::optional<int64_t>& count) {
  if (count && *count < 1) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("--{} is {}; allowed: an integer, at least 1", flag, *count),
                "correct it, or leave it out for the default");
  }
}

QuantizationReport quantize_model(const loading::PluginCatalog& catalog,
                                  const QuantizationRequest& request,
                                  const fs::path& working_folder,
                                  const Callbacks& callbacks) {
  check_request(request);
  const bool has_model = is_model(request.source);
  std::vector<std::string> warnings;
  const planning::ResolvedPlugin quantizer =
      planning::resolve(catalog, PluginKind::kQuantizer, request.quantizer, warnings);
  json params = common_params(request, quantizer);
  const Task task = has_model ? model_task(catalog, request, std::move(params), warnings)
                              : weights_task(request, std::move(params));
  say_warnings(warnings, callbacks);
  const std::vector<std::string> marks = {kWeightsFile, kFormatFile, kFactsFile};
  check_output(request.output, marks);
  // Outlives the worker, which may be stopped while it writes there.
  const running::OutputFolder folder(fs::absolute(request.output), task.files);
  check_output(request.output, marks);  // now that nobody else writes there
  running::Worker worker(
      {running::find_worker_program(request.worker), {}, working_folder});
  running::Waiting waiting;
  waiting.stop = request.stop;
  waiting.on_event = [&](const json& event) {
    tell_stage(event, callbacks);
  };
  const json answer = worker.call(
      task.method,
      task.params,
      fmt::format("{} by quantizer '{}'", request.source.string(), quantizer.id()),
      waiting);
  QuantizationReport report = report_of(answer, task.method);
  if (report.success) {
    report.output = fs::absolute(request.output);
  }
  say_warnings(report.warnings, callbacks);
  return report;
}

QuantizationReport quantize(const QuantizationRequest& request,
                            const Callbacks& callbacks) {
  return with_errors_alone([&] {
    try {
      const loading::PluginCatalog catalog =
          loading::PluginCatalog::scan(loading::default_search_path(request.plugin_dirs));
      return quantize_model(catalog, request, {}, callbacks);
    } catch (const running::Stopped&) {
      QuantizationReport report;
      report.interrupted = true;
      return report;
    }
  });
}

}  // namespace sizewise

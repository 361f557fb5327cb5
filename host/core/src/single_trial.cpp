#include "single_trial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sizewise/dataset_info.hpp"
#include "sizewise/error.hpp"

#include "planning/feasibility.hpp"
#include "planning/processors.hpp"
#include "planning/setting.hpp"
#include "running/output_folder.hpp"
#include "running/worker.hpp"
#include "saved_model.hpp"
#include "tables/json_values.hpp"

namespace sizewise {
namespace {

using nlohmann::json;
using tables::number_or_nan;

Progress progress_of(const json& event, const std::string& unit) {
  Progress progress;
  progress.trials_planned = 1;
  progress.unit = unit;
  progress.flops_planned = number_or_nan(event, "tokens_total");
  progress.flops_finished = number_or_nan(event, "tokens");
  progress.loss = number_or_nan(event, "loss");
  progress.validating = progress.flops_finished >= progress.flops_planned;
  const double rate = number_or_nan(event, "tokens_per_second");
  progress.units_per_second = std::isfinite(rate) ? rate : 0;
  progress.seconds_left =
      rate > 0 ? (progress.flops_planned - progress.flops_finished) / rate : NAN;
  return progress;
}

planning::Setting setting_of(const loading::PluginCatalog& catalog,
                             const SingleTrialRequest& request,
                             const Callbacks& callbacks) {
  std::vector<std::string> warnings;
  planning::Setting setting;
  setting.model = planning::resolve(catalog, PluginKind::kModel, request.model, warnings);
  setting.dataset =
      planning::resolve(catalog, PluginKind::kDataset, request.dataset, warnings);
  setting.loss = planning::resolve(catalog, PluginKind::kLoss, request.loss, warnings);
  setting.recipe = request.recipe;
  setting.threads = threads_or_all(request.threads);
  say_warnings(warnings, callbacks);
  return setting;
}

void check_size(int64_t size, const planning::Setting& setting) {
  const SizeSpec& sizes = setting.sizes();
  if (!sizes.allows(size)) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--size is {}; the {} of model '{}' is {} to {}, in steps of {}",
                    size,
                    sizes.name,
                    setting.model.id(),
                    sizes.minimum,
                    sizes.maximum,
                    sizes.multiple_of),
        fmt::format("the nearest is {}", sizes.nearest(static_cast<double>(size))));
  }
}

/// The units that were asked for, in whole samples.
int64_t whole_samples(const SingleTrialRequest& request,
                      const planning::Setting& setting,
                      const DatasetInfo& data) {
  const int64_t step = data.units_per_sample;
  if (step < 1 || data.train_samples < 1) {
    throw Error(ErrorCode::kPlugin,
                fmt::format("dataset '{}' says that it has {} samples of {} units; "
                            "allowed: 1 or more",
                            setting.dataset.id(),
                            data.train_samples,
                            step),
                "correct info() of the plugin, or give it more data");
  }
  planning::check_batch(request.recipe.batch_size, data);
  const int64_t least = request.recipe.batch_size * step;
  const int64_t asked =
      std::min(request.tokens, std::numeric_limits<int64_t>::max() - step);
  const int64_t units = (asked + step / 2) / step * step;
  if (units < least) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--tokens is {}, less than one batch: {} samples of {} {}s",
                    request.tokens,
                    request.recipe.batch_size,
                    step,
                    data.unit),
        fmt::format("give --tokens {} or more, or a smaller --batch-size", least));
  }
  return units;
}

/// Refuses a model whose training this machine cannot hold. (A model with num_params_of()
/// is counted without being made.)
void check_fits_machine(running::Worker& worker,
                        json params,
                        int64_t size,
                        const running::Waiting& waiting) {
  params["sizes"] = {size};
  params["check"] = false;
  params["count_flops"] = false;
  const json answer =
      worker.call("describe", params, fmt::format("size {}", size), waiting);
  const double count = answer.at("sizes").at(0).at("params").get<double>();
  const double most = planning::largest_trainable_model().value();
  if (count > most) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--size {} makes a model of {:.3g} parameters; this machine's "
                    "memory holds the training of {:.3g} at most",
                    size,
                    count,
                    most),
        "choose a smaller --size, or smaller --model-option values");
  }
}

/// The folder of the float model that a quantized one was made of; empty, with a warning,
/// where it is not there as it was.
std::filesystem::path float_model_of(const std::filesystem::path& quantized,
                                     const json& float_model,
                                     const Callbacks& callbacks) {
  const std::filesystem::path folder =
      std::filesystem::absolute(quantized / float_model.value("folder", ""))
          .lexically_normal();
  try {
    if (read_facts(folder).value("weights_sha256", json()) ==
        float_model.value("weights_sha256", json())) {
      return folder;
    }
  } catch (const Error&) {
    // Moved or damaged: the quantized model can be measured all the same.
  }
  say_warnings({fmt::format("the float model is not in {} any more, as it was; only the "
                            "quantized one is measured",
                            folder.string())},
               callbacks);
  return {};
}

}  // namespace

SingleTrial train_one(const loading::PluginCatalog& catalog,
                      const SingleTrialRequest& request,
                      const Callbacks& callbacks) {
  check_output(request.output, {kFactsFile});
  const planning::Setting setting = setting_of(catalog, request, callbacks);
  check_size(request.size, setting);
  SingleTrial trial;
  trial.size = request.size;
  trial.output = std::filesystem::absolute(request.output);
  // Outlives the worker, which may be stopped while it writes there.
  const running::OutputFolder folder(trial.output, {kWeightsFile, kFactsFile});
  check_output(request.output,
               {kFactsFile});  // once more, now that nobody else writes there
  running::Worker worker(
      {running::find_worker_program(request.worker), {}, request.working_folder});
  json params = planning::setting_to_json(setting);
  running::Waiting waiting;
  waiting.stop = request.stop;
  const DatasetInfo data = DatasetInfo::from_json(
      worker.call("dataset", params, "the dataset", waiting).at("info").dump());
  if (request.recipe.device == "cpu") {
    check_fits_machine(worker, params, request.size, waiting);
  }
  params["size"] = request.size;
  params["tokens"] = whole_samples(request, setting, data);
  params["output"] = trial.output.string();
  waiting.on_event = [&](const json& event) {
    if (callbacks.progress && event.value("event", "") == "progress") {
      callbacks.progress(progress_of(event, data.unit));
    }
  };
  trial.result =
      worker.call("train",
                  params,
                  fmt::format("model '{}' of size {}", setting.model.id(), request.size),
                  waiting);
  say_warnings(trial.result.value("warnings", std::vector<std::string>()), callbacks);
  trial.saved = trial.result.value("status", "") == "done";
  return trial;
}

json evaluate_checkpoint(const loading::PluginCatalog& catalog,
                         const EvaluationRequest& request,
                         const Callbacks& callbacks) {
  const json facts = read_facts(request.checkpoint);
  std::vector<std::string> warnings;
  const auto chosen = [&](PluginKind kind, const PluginChoice& given) {
    return planning::plugin_to_json(planning::resolve(
        catalog, kind, choice_or(given, facts, std::string(to_string(kind))), warnings));
  };
  json params = {{"checkpoint", std::filesystem::absolute(request.checkpoint).string()},
                 {"model", chosen(PluginKind::kModel, request.model)},
                 {"dataset", chosen(PluginKind::kDataset, request.dataset)},
                 {"loss", chosen(PluginKind::kLoss, request.loss)},
                 {"threads", threads_or_all(request.threads)},
                 {"device", request.device}};
  if (request.batch_size) {
    params["batch_size"] = *request.batch_size;
  }
  say_warnings(warnings, callbacks);
  running::Worker worker({running::find_worker_program(request.worker), {}, {}});
  json result = worker.call("evaluate", params, request.checkpoint.string());
  const json::json_pointer place("/quantization/float_model");
  if (!facts.contains(place)) {
    return result;
  }
  const auto folder = float_model_of(request.checkpoint, facts.at(place), callbacks);
  result["float"] = nullptr;
  if (!folder.empty()) {
    params["checkpoint"] = folder.string();
    result["float"] = worker.call("evaluate", params, folder.string());
  }
  return result;
}

}  // namespace sizewise

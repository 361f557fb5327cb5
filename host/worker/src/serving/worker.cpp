#include "serving/worker.hpp"

#include <limits>
#include <set>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "checkpoint/checkpoint.hpp"
#include "contract/invert_sizes.hpp"
#include "contract/model_contract.hpp"
#include "planning/experiment_json.hpp"
#include "running/wire.hpp"
#include "serving/checkpoint_model.hpp"
#include "serving/curve_file.hpp"
#include "serving/fields.hpp"
#include "serving/heartbeat.hpp"
#include "serving/quantization.hpp"
#include "serving/result_json.hpp"
#include "training/batches.hpp"
#include "training/count_step.hpp"
#include "training/create_model.hpp"
#include "training/guarded.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

void use_threads(const json& params) {
  if (const auto threads = optional_integer_field(params, "threads", 1)) {
    at::set_num_threads(static_cast<int>(*threads));
  }
}

/// The sizes that a request allows; where it says nothing, those of the manifest.
SizeSpec size_spec_of(const json& params, const Manifest& manifest) {
  SizeSpec spec = manifest.size.value_or(SizeSpec{});
  if (params.contains("size")) {
    const json& object = object_field(params, "size");
    spec.minimum = integer_field(object, "minimum", 1);
    spec.maximum = integer_field(object, "maximum", spec.minimum);
    spec.multiple_of = optional_integer_field(object, "multipleOf", 1).value_or(1);
  }
  return spec;
}

}  // namespace

json Worker::answer(std::string_view method,
                    const json& params,
                    const EventSink& send_event) {
  use_threads(params);
  if (method == "hello") {
    return hello(params);
  }
  if (method == "dataset") {
    return dataset(params);
  }
  if (method == "describe") {
    return describe(params, send_event);
  }
  if (method == "invert") {
    return invert(params, send_event);
  }
  if (method == "train") {
    return train(params, send_event);
  }
  if (method == "evaluate") {
    return evaluate(params, send_event);
  }
  if (method == "quantizer") {
    static_cast<void>(plugins_.new_quantizer(plugin_field(params, "quantizer")));
    return json::object();
  }
  if (method == "quantize") {
    return quantize_checkpoint(plugins_, params, send_event);
  }
  if (method == "quantize_weights") {
    return quantize_weight_file(plugins_, params, send_event);
  }
  if (method == "shutdown") {
    return json::object();
  }
  throw Error(
      ErrorCode::kConfiguration,
      fmt::format("there is no method '{}'; allowed: hello, dataset, describe, "
                  "invert, train, evaluate, quantizer, quantize, quantize_weights, "
                  "shutdown",
                  method),
      "see docs/worker-protocol.md");
}

json Worker::hello(const json& params) {
  const int64_t protocol = integer_field(params, "protocol", 1);
  if (protocol != running::kProtocolVersion) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("this worker speaks protocol {}, the host {}",
                            running::kProtocolVersion,
                            protocol),
                "install sizewise and sizewise-worker of the same version");
  }
  return {{"protocol", running::kProtocolVersion},
          {"version", SIZEWISE_VERSION},
          {"torch", TORCH_VERSION},
          {"device_names", training::device_names()}};
}

Worker::Setting Worker::setting(const json& params) {
  Setting made;
  if (params.contains("dataset")) {
    made.parts.dataset = plugins_.dataset(plugin_field(params, "dataset"));
    made.data = made.parts.dataset.instance->info();
  } else if (params.contains("data")) {
    made.data = DatasetInfo::from_json(object_field(params, "data").dump());
  }
  if (params.contains("loss")) {
    made.parts.loss = plugins_.loss(plugin_field(params, "loss"));
  }
  made.model = plugin_field(params, "model");
  made.parts.family = plugins_.family(made.model, made.data);
  made.parts.recipe = planning::recipe_from_json(params.value("recipe", json::object()));
  return made;
}

Worker::Setting Worker::whole_setting(const json& params) {
  static_cast<void>(object_field(params, "dataset"));
  static_cast<void>(object_field(params, "loss"));
  return setting(params);
}

json Worker::dataset(const json& params) {
  const auto dataset = plugins_.dataset(plugin_field(params, "dataset"));
  return training::guarded(dataset.id, [&]() -> json {
    return {{"info", json::parse(dataset.instance->info().to_json())},
            {"fingerprint", dataset.instance->fingerprint()}};
  });
}

void Worker::check_contract(const Setting& setting, const json& params) {
  const auto breach =
      contract::check_model_contract({setting.parts.family,
                                      plugins_.file(setting.model.path).manifest.size,
                                      sizes_field(params, "sizes"),
                                      setting.parts.dataset,
                                      setting.parts.loss,
                                      setting.data,
                                      setting.parts.recipe.seed});
  if (breach) {
    throw Error(ErrorCode::kPlugin, breach->message, breach->suggestion);
  }
}

json Worker::describe(const json& params, const EventSink& send_event) {
  const bool count_flops = flag_field(params, "count_flops");
  const Setting made = count_flops ? whole_setting(params) : setting(params);
  if (flag_field(params, "check")) {
    check_contract(made, params);
  }
  Heartbeat heartbeat(send_event);
  json sizes = json::array();
  std::set<std::string> uncounted;
  for (const int64_t size : sizes_field(params, "sizes")) {
    heartbeat.beat();
    if (count_flops) {
      const training::StepCost cost = training::count_step(made.parts, size);
      uncounted.insert(cost.uncounted.begin(), cost.uncounted.end());
      sizes.push_back({{"size", size},
                       {"params", cost.params},
                       {"flops_per_unit", cost.flops_per_unit}});
    } else {
      sizes.push_back({{"size", size},
                       {"params", training::params_of_size(made.parts.family, size)},
                       {"flops_per_unit", nullptr}});
    }
  }
  json warnings = json::array();
  if (!uncounted.empty()) {
    warnings.push_back(training::uncounted_warning(uncounted));
  }
  return {{"sizes", sizes}, {"warnings", warnings}};
}

json Worker::invert(const json& params, const EventSink& send_event) {
  const Setting made = setting(params);
  Heartbeat heartbeat(send_event);
  const std::optional<double> largest = optional_number_field(params, "largest_params");
  const contract::ParamsOfSize params_of_size = contract::bounded_params_of_size(
      [&](int64_t size) {
        heartbeat.beat();
        return training::known_params_of_size(made.parts.family, size);
      },
      [&](int64_t size) {
        return training::made_params_of_size(made.parts.family, size);
      },
      largest.value_or(std::numeric_limits<double>::infinity()));
  const SizeSpec spec = size_spec_of(params, plugins_.file(made.model.path).manifest);
  return {
      {"sizes",
       contract::invert_sizes(spec, numbers_field(params, "params"), params_of_size)}};
}

json Worker::checkpoint_facts(const json& params,
                              const Setting& setting,
                              const training::TrialResult& result) {
  json dataset = plugins_.facts(plugin_field(params, "dataset"));
  dataset["info"] = json::parse(setting.data.to_json());
  dataset["fingerprint"] = training::guarded(setting.parts.dataset.id, [&] {
    return setting.parts.dataset.instance->fingerprint();
  });
  return {{"sizewise", SIZEWISE_VERSION},
          {"torch", TORCH_VERSION},
          {"model", plugins_.facts(setting.model)},
          {"size", integer_field(params, "size", 1)},
          {"params", result.params},
          {"dataset", std::move(dataset)},
          {"loss", plugins_.facts(plugin_field(params, "loss"))},
          {"recipe", planning::recipe_to_json(setting.parts.recipe)},
          {"seed", setting.parts.recipe.seed},
          {"result", result_to_json(result)}};
}

json Worker::train(const json& params, const EventSink& send_event) {
  const Setting made = whole_setting(params);
  const int64_t size = integer_field(params, "size", 1);
  const int64_t tokens = integer_field(params, "tokens", 1);
  const auto output = optional_text_field(params, "output");
  training::TrialListener listener;
  listener.progress = [&](const training::Progress& progress) {
    send_event(progress_to_json(progress));
  };
  std::optional<CurveFile> curve;
  if (const auto path = optional_text_field(params, "metrics")) {
    curve.emplace(*path);
    listener.curve = [&](const training::CurvePoint& point) {
      curve->add(point);
    };
  }
  const training::TrainedTrial trained =
      training::train_trial(made.parts, size, tokens, listener);
  if (curve) {
    curve->finish(trained.result);
  }
  if (output && trained.result.status == training::TrialStatus::kDone) {
    checkpoint::save_checkpoint(
        *output, trained.model->module(), checkpoint_facts(params, made, trained.result));
  }
  return result_to_json(trained.result);
}

json Worker::evaluate(const json& params, const EventSink& send_event) {
  const CheckpointModel loaded = load_checkpoint_model(plugins_, params);
  Heartbeat heartbeat(send_event);
  warm_up(loaded);
  json result = evaluation_to_json(training::evaluate_model(
      *loaded.model, loaded.parts, loaded.device, loaded.batch_size, [&] {
        heartbeat.beat();
      }));
  result["bytes"] = loaded.bytes;
  return result;
}

}  // namespace sizewise::serving

#include "serving/checkpoint_model.hpp"

#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/nn/module.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "checkpoint/checkpoint.hpp"
#include "planning/experiment_json.hpp"
#include "quantizing/installed_weights.hpp"
#include "serving/fields.hpp"
#include "tables/json_values.hpp"
#include "training/batches.hpp"
#include "training/create_model.hpp"
#include "training/eval_scope.hpp"
#include "training/horizon.hpp"

namespace sizewise::serving {
namespace {

using nlohmann::json;

/// Refuses a dataset that a checkpoint's model cannot read.
void check_same_data(const DatasetInfo& trained, const DatasetInfo& given) {
  const auto refuse = [](std::string_view what, const auto& then, const auto& now) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("the model was trained on data whose {} is {}, and the "
                            "dataset given has {}",
                            what,
                            json(then).dump(),
                            json(now).dump()),
                "give a dataset of the same kind");
  };
  if (trained.input_shape != given.input_shape) {
    refuse("input_shape", trained.input_shape, given.input_shape);
  }
  if (trained.input_type != given.input_type) {
    refuse("input_type", trained.input_type, given.input_type);
  }
  if (trained.vocabulary != given.vocabulary) {
    refuse("vocabulary", trained.vocabulary, given.vocabulary);
  }
  if (trained.classes != given.classes) {
    refuse("classes", trained.classes, given.classes);
  }
}

/// The ingredients of a request, which must be of the checkpoint's kind.
training::Ingredients ingredients_of(PluginStore& plugins,
                                     const json& params,
                                     const json& facts,
                                     const std::filesystem::path& folder) {
  const DatasetInfo data = DatasetInfo::from_json(facts.at("dataset").at("info").dump());
  training::Ingredients parts;
  parts.dataset = plugins.dataset(plugin_field(params, "dataset"));
  parts.loss = plugins.loss(plugin_field(params, "loss"));
  check_same_data(data, parts.dataset.instance->info());
  PluginRequest model = plugin_field(params, "model");
  model.options = Options::from_json(facts.at("model").at("options").dump());
  parts.family = plugins.family(model, data);
  if (facts.at("model").at("plugin") != parts.family.id) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} holds a model of plugin {}, and '{}' was given",
                            folder.string(),
                            facts.at("model").at("plugin").dump(),
                            parts.family.id));
  }
  parts.recipe = planning::recipe_from_json(facts.at("recipe"));
  parts.recipe.device = optional_text_field(params, "device").value_or("cpu");
  return parts;
}

/// Gives the model the weights of its folder, quantized or float.
void load_into(CheckpointModel& loaded) {
  // Of a quantized folder without its config.json, the reader says what is missing.
  loaded.is_quantized = loaded.facts.contains("quantization") ||
                        quantizing::holds_quantized_files(loaded.folder);
  torch::nn::Module& module = loaded.model->module();
  if (!loaded.is_quantized) {
    loaded.bytes = checkpoint::load_weights(loaded.folder, module);
    module.to(loaded.device);
    return;
  }
  if (!loaded.device.is_cpu()) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("{} holds a quantized model, and the device is {}; allowed: cpu",
                    loaded.folder.string(),
                    loaded.device.str()),
        "leave --device out");
  }
  quantizing::load_files(
      module, quantizing::read_quantized_files(loaded.folder), loaded.folder.string());
  loaded.bytes = std::filesystem::file_size(loaded.folder / checkpoint::kWeightsFile);
}

}  // namespace

CheckpointModel load_checkpoint_model(PluginStore& plugins, const json& params) {
  CheckpointModel loaded;
  loaded.folder = text_field(params, "checkpoint");
  loaded.facts = checkpoint::read_facts(loaded.folder);
  int64_t size = 0;
  try {
    size = loaded.facts.at("size").get<int64_t>();
    loaded.parts = ingredients_of(plugins, params, loaded.facts, loaded.folder);
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: {}",
                            (loaded.folder / checkpoint::kFactsFile).string(),
                            tables::json_fault(error)),
                "take the folder as it was written");
  }
  const Recipe& recipe = loaded.parts.recipe;
  loaded.device = training::device_from_name(recipe.device);
  loaded.model = training::create_model(loaded.parts.family, size, recipe.seed);
  load_into(loaded);
  // Sums depend on how samples are grouped: by default as the trial grouped them, so that
  // its loss is found again to the last bit.
  loaded.batch_size =
      optional_integer_field(params, "batch_size", 1)
          .value_or(training::split_step(recipe.batch_size, recipe.accumulate).front());
  return loaded;
}

void run_training_batch(const CheckpointModel& loaded, int64_t i) {
  const at::NoGradGuard no_gradients;
  const TensorMap batch = training::fetch_batch(
      loaded.parts.dataset,
      {Split::kTrain, i * loaded.batch_size, loaded.batch_size, loaded.parts.recipe.seed},
      loaded.device);
  static_cast<void>(loaded.model->forward(batch));
}

void warm_up(const CheckpointModel& loaded) {
  const training::EvalScope eval_scope(loaded.model->module());
  run_training_batch(loaded, 0);
}

}  // namespace sizewise::serving

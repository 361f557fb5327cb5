#include "planning/experiment_json.hpp"

#include <limits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "planning/object_fields.hpp"
#include "tables/json_values.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;

constexpr int64_t kMostSamples = int64_t{1} << 30U;  ///< in a step
constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostReplicates = 1'000'000;

json choice_to_json(const PluginChoice& choice) {
  return {{"plugin", choice.plugin}, {"options", json::parse(choice.options.to_json())}};
}

json budgets_to_json(const std::vector<Flops>& budgets) {
  json list = json::array();
  for (const Flops budget : budgets) {
    list.push_back(budget.value());
  }
  return list;
}

}  // namespace

Recipe recipe_from_json(const json& object, FieldNames names) {
  check_fields(object,
               {"optimizer",
                "learning_rate",
                "learning_rate_exponent",
                "learning_rate_reference",
                "batch_size",
                "accumulate",
                "precision",
                "schedule",
                "warmup",
                "weight_decay",
                "clip",
                "seed",
                "device"},
               "recipe");
  constexpr double kMost = std::numeric_limits<double>::max();
  const Fields fields(object, names);
  Recipe recipe;
  fields.read_word("optimizer", {"adamw", "sgd"}, recipe.optimizer);
  fields.read_number("learning_rate", 0, 1e3, recipe.learning_rate);
  fields.read_number("learning_rate_exponent", -2, 2, recipe.learning_rate_exponent);
  fields.read_number("learning_rate_reference", 1, kMost, recipe.learning_rate_reference);
  fields.read_integer("batch_size", 1, kMostSamples, recipe.batch_size);
  fields.read_integer("accumulate", 1, kMostSamples, recipe.accumulate);
  fields.read_word("precision", {"float32", "bfloat16"}, recipe.precision);
  fields.read_word("schedule", {"cosine", "constant", "wsd"}, recipe.schedule);
  fields.read_number("warmup", 0, 1, recipe.warmup);
  fields.read_number("weight_decay", 0, 1e3, recipe.weight_decay);
  fields.read_number("clip", 0, kMost, recipe.clip);
  fields.read_integer("seed", 0, kMostSeed, recipe.seed);
  fields.read_word("device", {}, recipe.device);
  if (recipe.accumulate > recipe.batch_size) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format(
            "{} is {}, more than {} {}: a step cannot split into more passes than "
            "it has samples",
            fields.name_of("accumulate"),
            recipe.accumulate,
            fields.name_of("batch_size"),
            recipe.batch_size),
        fmt::format("allowed: 1 to {}", recipe.batch_size));
  }
  return recipe;
}

json recipe_to_json(const Recipe& recipe) {
  return {{"optimizer", recipe.optimizer},
          {"learning_rate", recipe.learning_rate},
          {"learning_rate_exponent", recipe.learning_rate_exponent},
          {"learning_rate_reference", recipe.learning_rate_reference},
          {"batch_size", recipe.batch_size},
          {"accumulate", recipe.accumulate},
          {"precision", recipe.precision},
          {"schedule", recipe.schedule},
          {"warmup", recipe.warmup},
          {"weight_decay", recipe.weight_decay},
          {"clip", recipe.clip},
          {"seed", recipe.seed},
          {"device", recipe.device}};
}

Experiment experiment_from_json(const json& object) {
  check_fields(object,
               {"model",
                "dataset",
                "loss",
                "sweep",
                "fit",
                "budgets",
                "target_budgets",
                "recipe",
                "bootstrap"},
               "experiment");
  Experiment experiment;
  read_choice(object, "model", experiment.model);
  read_choice(object, "dataset", experiment.dataset);
  read_choice(object, "loss", experiment.loss);
  read_choice(object, "sweep", experiment.sweep);
  read_choice(object, "fit", experiment.fit);
  const Fields fields(object);
  fields.read_budgets("budgets", experiment.budgets);
  fields.read_budgets("target_budgets", experiment.target_budgets);
  experiment.recipe = recipe_from_json(object.value("recipe", json::object()));
  fields.read_integer("bootstrap", 0, kMostReplicates, experiment.bootstrap);
  return experiment;
}

json experiment_to_json(const Experiment& experiment) {
  return {{"model", choice_to_json(experiment.model)},
          {"dataset", choice_to_json(experiment.dataset)},
          {"loss", choice_to_json(experiment.loss)},
          {"sweep", choice_to_json(experiment.sweep)},
          {"fit", choice_to_json(experiment.fit)},
          {"budgets", budgets_to_json(experiment.budgets)},
          {"target_budgets", budgets_to_json(experiment.target_budgets)},
          {"recipe", recipe_to_json(experiment.recipe)},
          {"bootstrap", experiment.bootstrap}};
}

std::string experiment_hash(const Experiment& experiment) {
  return sha256_of_text(experiment_to_json(experiment).dump());
}

}  // namespace sizewise::planning

namespace sizewise {

Experiment Experiment::from_json(std::string_view text) {
  try {
    return planning::experiment_from_json(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("the experiment is no JSON: {}", tables::json_fault(error)),
                "correct it there");
  }
}

std::string Experiment::to_json() const {
  return planning::experiment_to_json(*this).dump(2);
}

}  // namespace sizewise

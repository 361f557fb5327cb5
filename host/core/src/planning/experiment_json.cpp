#include "planning/experiment_json.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(std::string_view field,
                         const json& value,
                         std::string_view allowed) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("'{}' is {}; allowed: {}", field, value.dump(), allowed));
}

void check_fields(const json& object,
                  const std::vector<std::string>& known,
                  std::string_view what) {
  if (!object.is_object()) {
    refuse(what, object, "a JSON object");
  }
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) {
      continue;
    }
    const std::string near = nearest_word(item.key(), known);
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} has an unknown field '{}'", what, item.key()),
                near.empty() ? fmt::format("known fields: {}", fmt::join(known, ", "))
                             : fmt::format("did you mean '{}'?", near));
  }
}

void read_number(
    const json& object, const char* field, double least, double most, double& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& value = object.at(field);
  if (!value.is_number() || value.get<double>() < least || value.get<double>() > most) {
    refuse(field, value, fmt::format("a number, {} to {}", least, most));
  }
  to = value.get<double>();
}

template <class Integer>
void read_integer(const json& object, const char* field, int64_t least, Integer& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& value = object.at(field);
  if (!value.is_number_integer() || value.get<int64_t>() < least) {
    refuse(field, value, fmt::format("an integer, at least {}", least));
  }
  to = value.get<Integer>();
}

void read_word(const json& object,
               const char* field,
               const std::vector<std::string>& allowed,
               std::string& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& value = object.at(field);
  if (!value.is_string() ||
      (!allowed.empty() &&
       std::find(allowed.begin(), allowed.end(), value.get<std::string>()) ==
           allowed.end())) {
    refuse(field,
           value,
           allowed.empty() ? std::string("a text")
                           : fmt::format("{}", fmt::join(allowed, ", ")));
  }
  to = value.get<std::string>();
}

void read_choice(const json& object, const char* field, PluginChoice& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& value = object.at(field);
  if (value.is_string()) {
    to = {value.get<std::string>(), {}};
    return;
  }
  check_fields(value, {"plugin", "options"}, field);
  if (!value.contains("plugin") || !value.at("plugin").is_string()) {
    refuse(field, value, R"({"plugin": id or path, "options": {...}})");
  }
  to.plugin = value.at("plugin").get<std::string>();
  to.options = Options::from_json(value.value("options", json::object()).dump());
}

void read_budgets(const json& object, const char* field, std::vector<Flops>& to) {
  if (!object.contains(field)) {
    return;
  }
  const json& list = object.at(field);
  const bool fine =
      list.is_array() && std::all_of(list.begin(), list.end(), [](const json& value) {
        return value.is_number() && value.get<double>() > 0;
      });
  if (!fine) {
    refuse(field, list, "a list of positive numbers, in FLOPs");
  }
  to.clear();
  for (const json& value : list) {
    to.emplace_back(value.get<double>());
  }
}

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

Recipe recipe_from_json(const json& object) {
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
  Recipe recipe;
  read_word(object, "optimizer", {"adamw", "sgd"}, recipe.optimizer);
  read_number(object, "learning_rate", 0, 1e3, recipe.learning_rate);
  read_number(object, "learning_rate_exponent", -2, 2, recipe.learning_rate_exponent);
  read_number(
      object, "learning_rate_reference", 1, kMost, recipe.learning_rate_reference);
  read_integer(object, "batch_size", 1, recipe.batch_size);
  read_integer(object, "accumulate", 1, recipe.accumulate);
  read_word(object, "precision", {"float32", "bfloat16"}, recipe.precision);
  read_word(object, "schedule", {"cosine", "constant", "wsd"}, recipe.schedule);
  read_number(object, "warmup", 0, 1, recipe.warmup);
  read_number(object, "weight_decay", 0, 1e3, recipe.weight_decay);
  read_number(object, "clip", 0, kMost, recipe.clip);
  read_integer(object, "seed", 0, recipe.seed);
  read_word(object, "device", {}, recipe.device);
  if (recipe.accumulate > recipe.batch_size) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("'accumulate' is {}, more than 'batch_size' {}: a step of {} samples "
                    "cannot split into more passes than samples",
                    recipe.accumulate,
                    recipe.batch_size,
                    recipe.batch_size));
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
  read_budgets(object, "budgets", experiment.budgets);
  read_budgets(object, "target_budgets", experiment.target_budgets);
  experiment.recipe = recipe_from_json(object.value("recipe", json::object()));
  read_integer(object, "bootstrap", 0, experiment.bootstrap);
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

}  // namespace sizewise::planning

namespace sizewise {

Experiment Experiment::from_json(std::string_view text) {
  try {
    return planning::experiment_from_json(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInput,
                fmt::format("the experiment is not valid: {}", error.what()));
  }
}

std::string Experiment::to_json() const {
  return planning::experiment_to_json(*this).dump(2);
}

}  // namespace sizewise

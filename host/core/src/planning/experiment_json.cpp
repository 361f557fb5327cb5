#include "planning/experiment_json.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "tables/json_values.hpp"

namespace sizewise::planning {
namespace {

using nlohmann::json;

constexpr int64_t kMostSamples = int64_t{1} << 30U;  ///< in a step
constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostReplicates = 1'000'000;

[[noreturn]] void refuse_value(std::string_view name,
                               const json& value,
                               std::string_view allowed) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("{} is {}; allowed: {}", name, value.dump(), allowed),
              "correct it, or leave it out for the default");
}

void check_fields(const json& object,
                  const std::vector<std::string>& known,
                  std::string_view what) {
  if (!object.is_object()) {
    refuse_value(fmt::format("'{}'", what), object, "a JSON object");
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

/// Reads the fields of an object that are there; the others keep their values.
class Fields {
 public:
  explicit Fields(const json& object, FieldNames names = FieldNames::kFields)
      : object_(object), names_(names) {}

  void read_number(const char* field, double least, double most, double& to) const {
    const json* const value = find(field);
    if (value == nullptr) {
      return;
    }
    if (!value->is_number() || value->get<double>() < least ||
        value->get<double>() > most) {
      refuse(field, *value, fmt::format("a number, {} to {}", least, most));
    }
    to = value->get<double>();
  }

  template <class Integer>
  void read_integer(const char* field, int64_t least, int64_t most, Integer& to) const {
    const json* const value = find(field);
    if (value == nullptr) {
      return;
    }
    const bool fits = value->is_number_unsigned()
                          ? value->get<uint64_t>() <= static_cast<uint64_t>(most)
                          : value->is_number_integer();
    if (!fits || value->get<int64_t>() < least) {
      refuse(field, *value, fmt::format("an integer, {} to {}", least, most));
    }
    to = value->get<Integer>();
  }

  /// @param allowed empty: any text
  void read_word(const char* field,
                 const std::vector<std::string>& allowed,
                 std::string& to) const {
    const json* const value = find(field);
    if (value == nullptr) {
      return;
    }
    const bool fits =
        value->is_string() &&
        (allowed.empty() ||
         std::find(allowed.begin(), allowed.end(), value->get<std::string>()) !=
             allowed.end());
    if (!fits) {
      refuse(field,
             *value,
             allowed.empty() ? std::string("a text")
                             : fmt::format("{}", fmt::join(allowed, ", ")));
    }
    to = value->get<std::string>();
  }

  void read_budgets(const char* field, std::vector<Flops>& to) const {
    const json* const list = find(field);
    if (list == nullptr) {
      return;
    }
    const bool fits = list->is_array() &&
                      std::all_of(list->begin(), list->end(), [](const json& value) {
                        return value.is_number() && value.get<double>() > 0;
                      });
    if (!fits) {
      refuse(field, *list, "a list of positive numbers, in FLOPs");
    }
    to.clear();
    for (const json& value : *list) {
      to.emplace_back(value.get<double>());
    }
  }

  /// "'batch_size'" or "--batch-size".
  [[nodiscard]] std::string name_of(std::string field) const {
    if (names_ == FieldNames::kFields) {
      return fmt::format("'{}'", field);
    }
    std::replace(field.begin(), field.end(), '_', '-');
    return "--" + field;
  }

 private:
  [[nodiscard]] const json* find(const char* field) const {
    const auto found = object_.find(field);
    return found == object_.end() ? nullptr : &*found;
  }

  [[noreturn]] void refuse(const char* field,
                           const json& value,
                           std::string_view allowed) const {
    refuse_value(name_of(field), value, allowed);
  }

  const json& object_;
  FieldNames names_;
};

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
    refuse_value(
        fmt::format("'{}'", field), value, R"({"plugin": id or path, "options": {...}})");
  }
  to.plugin = value.at("plugin").get<std::string>();
  to.options = Options::from_json(value.value("options", json::object()).dump());
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

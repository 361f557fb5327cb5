#include "experiment_flags.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "loading/plugin_options.hpp"
#include "planning/experiment_json.hpp"
#include "run_config.hpp"

namespace sizewise::cli {
namespace {

enum class FieldType { kWord, kNumber, kInteger };

/// A flag of the recipe is its field with dashes; the field's range is checked where all
/// recipes are: planning::recipe_from_json().
struct RecipeFlag {
  const char* name;
  FieldType type;
  const char* placeholder;
  const char* description;
};

constexpr std::array<RecipeFlag, 13> kRecipeFlags = {{
    {"optimizer", FieldType::kWord, "NAME", "adamw (default) or sgd"},
    {"learning-rate", FieldType::kNumber, "RATE", "peak learning rate (default 3e-3)"},
    {"learning-rate-exponent",
     FieldType::kNumber,
     "P",
     "the rate of a model of N parameters is RATE * (N / N0)^P (default 0)"},
    {"learning-rate-reference", FieldType::kNumber, "N0", "(default 1e6)"},
    {"batch-size", FieldType::kInteger, "N", "samples in a step (default 32)"},
    {"accumulate",
     FieldType::kInteger,
     "N",
     "passes that a step is split into (default 1)"},
    {"precision", FieldType::kWord, "TYPE", "float32 (default) or bfloat16"},
    {"schedule", FieldType::kWord, "NAME", "cosine (default), constant or wsd"},
    {"warmup", FieldType::kNumber, "SHARE", "share of the steps (default 0.05)"},
    {"weight-decay", FieldType::kNumber, "RATE", "not on biases and norms (default 0.1)"},
    {"clip", FieldType::kNumber, "NORM", "largest gradient norm; 0: none (default 1)"},
    {"seed", FieldType::kInteger, "SEED", "of weights and order of data (default 0)"},
    {"device", FieldType::kWord, "NAME", "cpu (default), cuda or cuda:N"},
}};

std::string field_of(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// Adds one KEY=VALUE to the options that the manifest describes; the key.
std::string set_option(const Manifest& manifest,
                       const std::string& flag,
                       const std::string& text,
                       Options& options) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("--{} is '{}'; allowed: KEY=VALUE", flag, text),
        fmt::format("run `sizewise plugin show {}` for its options", manifest.id));
  }
  const std::string key = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  if (manifest.size && key == manifest.size->name &&
      manifest.options.find(key) == nullptr) {
    // complete_options() leaves it out and says so.
    options.set(key, value);
  } else {
    options.set(key, manifest.options.parse(key, value));
  }
  return key;
}

std::vector<Flops> budgets_from(const CommandLine& line,
                                std::string_view flag,
                                std::vector<Flops> base) {
  if (!line.has(flag)) {
    return base;
  }
  std::vector<Flops> budgets;
  for (const double budget : line.positive_list(flag)) {
    budgets.emplace_back(budget);
  }
  return budgets;
}

}  // namespace

CommandLine& add_recipe_flags(CommandLine& line) {
  for (const RecipeFlag& flag : kRecipeFlags) {
    line.value(flag.name, flag.placeholder, flag.description);
  }
  return line;
}

CommandLine& add_single_model_flags(CommandLine& line) {
  for (const PluginKind kind :
       {PluginKind::kModel, PluginKind::kDataset, PluginKind::kLoss}) {
    line.plugin(kind);
  }
  line.value("threads", "N", "threads (default: all cores)");
  return line.value(
      "worker", "FILE", "the worker program (default: the one beside this)");
}

CommandLine& add_experiment_flags(CommandLine& line) {
  line.value("config", "FILE", "an experiment as JSON; flags go before it");
  for (const PluginKind kind : {PluginKind::kModel,
                                PluginKind::kDataset,
                                PluginKind::kLoss,
                                PluginKind::kSweep,
                                PluginKind::kFit}) {
    line.plugin(kind);
  }
  line.values("budgets",
              "LIST",
              "training budgets in FLOPs: 1e9,3e9 or FIRST:LAST:COUNT, evenly spaced in "
              "logarithm");
  line.values("target-budget",
              "C",
              "recommend for this budget in FLOPs (default: ten times the largest)");
  line.value("bootstrap", "N", "resamples for the interval (default 200; 0: none)");
  return add_recipe_flags(line);
}

loading::PluginCatalog scan_plugins(const CommandLine& line) {
  return loading::PluginCatalog::scan(loading::default_search_path(line.plugin_dirs()));
}

Recipe recipe_from(const CommandLine& line, const Recipe& base) {
  constexpr double kMost = std::numeric_limits<double>::max();
  nlohmann::json fields = planning::recipe_to_json(base);
  for (const RecipeFlag& flag : kRecipeFlags) {
    if (!line.has(flag.name)) {
      continue;
    }
    nlohmann::json& field = fields[field_of(flag.name)];
    switch (flag.type) {
      case FieldType::kWord:
        field = line.text_or(flag.name, "");
        break;
      case FieldType::kNumber:
        field = line.number_or(flag.name, 0.0, -kMost, kMost);
        break;
      case FieldType::kInteger:
        field = line.integer_or(flag.name, 0);
        break;
    }
  }
  return planning::recipe_from_json(fields, planning::FieldNames::kFlags);
}

PluginChoice choice_from(const CommandLine& line,
                         PluginKind kind,
                         const loading::PluginCatalog& catalog,
                         PluginChoice base) {
  const std::string flag(to_string(kind));
  const std::string option_flag = flag + "-option";
  PluginChoice choice = std::move(base);
  const std::string named = line.text_or(flag, choice.plugin);
  if (named != choice.plugin) {
    choice = {named, {}};
  }
  const std::vector<std::string>& settings = line.texts(option_flag);
  if (settings.empty()) {
    return choice;
  }
  if (choice.plugin.empty()) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("--{} is given, but no {}", option_flag, flag),
                fmt::format("name the plugin with --{} ID", flag));
  }
  const Manifest manifest = catalog.find(kind, choice.plugin).manifest;
  std::set<std::string> keys;
  for (const std::string& setting : settings) {
    const std::string key = set_option(manifest, option_flag, setting, choice.options);
    if (!keys.insert(key).second) {
      throw Error(
          ErrorCode::kConfiguration,
          fmt::format(
              "--{} sets '{}' twice, the second time as '{}'", option_flag, key, setting),
          "say each option once; a list is written KEY=1,2,3");
    }
  }
  return choice;
}

ChosenPlugin resolve_choice(const PluginChoice& choice,
                            PluginKind kind,
                            const loading::PluginCatalog& catalog,
                            Console& console) {
  if (choice.plugin.empty()) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("no {} is chosen", to_string(kind)),
                fmt::format("name one with --{} ID; `sizewise plugin list` shows them",
                            to_string(kind)));
  }
  ChosenPlugin chosen{catalog.find(kind, choice.plugin), {}};
  std::vector<std::string> warnings;
  chosen.options =
      loading::complete_options(chosen.file.manifest, choice.options, warnings);
  for (const std::string& warning : warnings) {
    console.warn(warning);
  }
  return chosen;
}

Experiment experiment_from(const CommandLine& line,
                           const loading::PluginCatalog& catalog) {
  Experiment experiment = run_config_from(line).experiment;
  const auto choose = [&](PluginKind kind, PluginChoice& choice) {
    choice = choice_from(line, kind, catalog, choice);
  };
  choose(PluginKind::kModel, experiment.model);
  choose(PluginKind::kDataset, experiment.dataset);
  choose(PluginKind::kLoss, experiment.loss);
  choose(PluginKind::kSweep, experiment.sweep);
  choose(PluginKind::kFit, experiment.fit);
  experiment.budgets = budgets_from(line, "budgets", std::move(experiment.budgets));
  experiment.target_budgets =
      budgets_from(line, "target-budget", std::move(experiment.target_budgets));
  experiment.bootstrap =
      static_cast<int>(line.integer_or("bootstrap", experiment.bootstrap, 0, 1000000));
  experiment.recipe = recipe_from(line, experiment.recipe);
  return experiment;
}

}  // namespace sizewise::cli

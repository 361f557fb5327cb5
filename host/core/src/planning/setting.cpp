#include "planning/setting.hpp"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "loading/plugin_options.hpp"
#include "planning/experiment_json.hpp"

namespace sizewise::planning {

using nlohmann::json;

ResolvedPlugin resolve(const loading::PluginCatalog& catalog,
                       PluginKind kind,
                       const PluginChoice& choice,
                       std::vector<std::string>& warnings) {
  if (choice.plugin.empty()) {
    std::vector<std::string> known;
    for (const loading::PluginFile& plugin : catalog.plugins()) {
      if (plugin.manifest.kind == kind) {
        known.push_back(plugin.manifest.id);
      }
    }
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("no {} is chosen", to_string(kind)),
        fmt::format("name one with --{} ID; there are: {}",
                    to_string(kind),
                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  ResolvedPlugin resolved;
  resolved.file = catalog.find(kind, choice.plugin);
  resolved.options =
      loading::complete_options(resolved.file.manifest, choice.options, warnings);
  resolved.sha256 = sha256_of_file(resolved.file.path);
  return resolved;
}

ResolvedExperiment resolve(const loading::PluginCatalog& catalog,
                           const Experiment& experiment,
                           int threads) {
  ResolvedExperiment resolved;
  std::vector<std::string>& warnings = resolved.warnings;
  resolved.setting.model =
      resolve(catalog, PluginKind::kModel, experiment.model, warnings);
  resolved.setting.dataset =
      resolve(catalog, PluginKind::kDataset, experiment.dataset, warnings);
  resolved.setting.loss = resolve(catalog, PluginKind::kLoss, experiment.loss, warnings);
  resolved.setting.recipe = experiment.recipe;
  resolved.setting.threads = threads;
  resolved.sweep = resolve(catalog, PluginKind::kSweep, experiment.sweep, warnings);
  resolved.fit = resolve(catalog, PluginKind::kFit, experiment.fit, warnings);
  return resolved;
}

Experiment completed(const Experiment& experiment, const ResolvedExperiment& resolved) {
  const auto complete = [](PluginChoice& choice, const ResolvedPlugin& plugin) {
    // A path is kept whole, so that the run can be continued from another folder.
    if (choice.plugin != plugin.id()) {
      choice.plugin = plugin.file.path.string();
    }
    choice.options = plugin.options;
  };
  Experiment whole = experiment;
  complete(whole.model, resolved.setting.model);
  complete(whole.dataset, resolved.setting.dataset);
  complete(whole.loss, resolved.setting.loss);
  complete(whole.sweep, resolved.sweep);
  complete(whole.fit, resolved.fit);
  return whole;
}

json plugin_to_json(const ResolvedPlugin& plugin) {
  return {{"path", plugin.file.path.string()},
          {"options", json::parse(plugin.options.to_json())}};
}

json setting_to_json(const Setting& setting) {
  return {{"model", plugin_to_json(setting.model)},
          {"dataset", plugin_to_json(setting.dataset)},
          {"loss", plugin_to_json(setting.loss)},
          {"recipe", recipe_to_json(setting.recipe)},
          {"threads", setting.threads}};
}

}  // namespace sizewise::planning

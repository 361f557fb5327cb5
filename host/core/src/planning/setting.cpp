#include "planning/setting.hpp"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/digest.hpp"
#include "sizewise/error.hpp"

#include "planning/experiment_json.hpp"

namespace sizewise::planning {

using nlohmann::json;

ResolvedPlugin resolve(const loading::PluginCatalog& catalog,
                       PluginKind kind,
                       const PluginChoice& choice) {
  if (choice.plugin.empty()) {
    std::vector<std::string> known;
    for (const loading::PluginFile& plugin : catalog.plugins()) {
      if (plugin.manifest.kind == kind) {
        known.push_back(plugin.manifest.id);
      }
    }
    throw Error(
        ErrorCode::kConfiguration,
        fmt::format("no {} is named", to_string(kind)),
        fmt::format("name one with --{} ID; there are: {}",
                    to_string(kind),
                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  ResolvedPlugin resolved;
  resolved.file = catalog.find(kind, choice.plugin);
  resolved.options = resolved.file.manifest.options.resolve(choice.options);
  resolved.sha256 = sha256_of_file(resolved.file.path);
  return resolved;
}

ResolvedPlugin resolve_model(const loading::PluginCatalog& catalog,
                             PluginChoice choice,
                             std::vector<std::string>& warnings) {
  if (!choice.plugin.empty()) {
    const loading::PluginFile file = catalog.find(PluginKind::kModel, choice.plugin);
    const std::string& size = file.manifest.size->name;
    if (choice.options.has(size)) {
      Options kept;
      for (const auto& [name, value] : choice.options.values()) {
        if (name != size) {
          kept.set(name, value);
        }
      }
      choice.options = kept;
      warnings.push_back(
          fmt::format("'{}' is the size of model '{}', which a sweep chooses: the option "
                      "is ignored",
                      size,
                      file.manifest.id));
    }
  }
  return resolve(catalog, PluginKind::kModel, choice);
}

ResolvedExperiment resolve(const loading::PluginCatalog& catalog,
                           const Experiment& experiment,
                           int threads) {
  ResolvedExperiment resolved;
  resolved.setting.model = resolve_model(catalog, experiment.model, resolved.warnings);
  resolved.setting.dataset = resolve(catalog, PluginKind::kDataset, experiment.dataset);
  resolved.setting.loss = resolve(catalog, PluginKind::kLoss, experiment.loss);
  resolved.setting.recipe = experiment.recipe;
  resolved.setting.threads = threads;
  resolved.sweep = resolve(catalog, PluginKind::kSweep, experiment.sweep);
  resolved.fit = resolve(catalog, PluginKind::kFit, experiment.fit);
  return resolved;
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

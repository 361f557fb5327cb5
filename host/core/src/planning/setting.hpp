#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/experiment.hpp"
#include "sizewise/manifest.hpp"

#include "loading/plugin_catalog.hpp"

namespace sizewise::planning {

/// A plugin that was found, with its options complete and valid.
struct ResolvedPlugin {
  loading::PluginFile file;
  Options options;
  std::string sha256;  ///< of the file

  [[nodiscard]] const std::string& id() const { return file.manifest.id; }
};

/// What a worker needs to train: the `setting` of docs/worker-protocol.md.
struct Setting {
  ResolvedPlugin model;
  ResolvedPlugin dataset;
  ResolvedPlugin loss;
  Recipe recipe;
  int threads = 1;

  /// The sizes that the model's manifest allows.
  [[nodiscard]] const SizeSpec& sizes() const {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): no model loads without a size
    return *model.file.manifest.size;
  }
};

/// An experiment whose plugins were found.
struct ResolvedExperiment {
  Setting setting;
  ResolvedPlugin sweep;
  ResolvedPlugin fit;
  std::vector<std::string> warnings;
};

/// Finds a plugin and completes its options; a size that is set as an option is left out
/// with a warning.
/// @throws Error kConfiguration where `choice` names no plugin, there is no such plugin,
/// or an option is unknown, of a wrong type, out of range, or missing
[[nodiscard]] ResolvedPlugin resolve(const loading::PluginCatalog& catalog,
                                     PluginKind kind,
                                     const PluginChoice& choice,
                                     std::vector<std::string>& warnings);

/// All five plugins of an experiment.
[[nodiscard]] ResolvedExperiment resolve(const loading::PluginCatalog& catalog,
                                         const Experiment& experiment,
                                         int threads);

/// The experiment with every option in its place, as experiment.json holds it.
[[nodiscard]] Experiment completed(const Experiment& experiment,
                                   const ResolvedExperiment& resolved);

/// A `plugin` of docs/worker-protocol.md.
[[nodiscard]] nlohmann::json plugin_to_json(const ResolvedPlugin& plugin);
/// A `setting` of docs/worker-protocol.md.
[[nodiscard]] nlohmann::json setting_to_json(const Setting& setting);

}  // namespace sizewise::planning

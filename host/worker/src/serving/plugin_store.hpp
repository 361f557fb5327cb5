#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/dataset_info.hpp"
#include "sizewise/options.hpp"

#include "loading/plugin_catalog.hpp"
#include "quantizing/named_quantizer.hpp"
#include "training/trial.hpp"

namespace sizewise::serving {

/// A plugin as a request names it.
struct PluginRequest {
  std::filesystem::path path;
  Options options;  ///< as given; defaults come from the manifest
};

/// Reads a field {"path", "options"} of a request. @throws Error kConfiguration naming it
[[nodiscard]] PluginRequest plugin_field(const nlohmann::json& params, const char* name);

/// The plugins of one worker. Each is loaded once, and each combination of plugin and
/// options is made once: a second trial finds its data in memory.
class PluginStore {
 public:
  /// @throws Error kConfiguration for an option that the plugin does not have, kPlugin
  ///   where it cannot be loaded or is of another kind, or what its create() reports
  [[nodiscard]] training::Named<Dataset> dataset(const PluginRequest& request);
  [[nodiscard]] training::Named<Loss> loss(const PluginRequest& request);
  [[nodiscard]] training::Named<ModelFamily> family(const PluginRequest& request,
                                                    const DatasetInfo& data);

  /// A quantizer of its own for each call: prepare() is called once.
  [[nodiscard]] quantizing::NamedQuantizer new_quantizer(const PluginRequest& request);

  /// {"plugin": id, "version", "options": complete}: what a checkpoint keeps of a plugin.
  [[nodiscard]] nlohmann::json facts(const PluginRequest& request);

  /// What the file says about itself. @throws Error kPlugin
  [[nodiscard]] const loading::PluginFile& file(const std::filesystem::path& path);

 private:
  /// @throws Error kConfiguration where the file's plugin is of another kind
  const loading::PluginFile& file_of_kind(const std::filesystem::path& path,
                                          PluginKind kind);

  template <class Interface>
  training::Named<Interface> get(const PluginRequest& request,
                                 PluginKind kind,
                                 const DatasetInfo* data);

  std::map<std::filesystem::path, loading::PluginFile> files_;
  std::map<std::string, std::shared_ptr<void>, std::less<>> instances_;
};

}  // namespace sizewise::serving

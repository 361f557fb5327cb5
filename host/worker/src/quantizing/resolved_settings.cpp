#include "quantizing/resolved_settings.hpp"

#include <utility>

#include "sizewise/quantization.hpp"

#include "loading/plugin_catalog.hpp"
#include "running/config_file.hpp"
#include "serving/plugin_store.hpp"

namespace sizewise::quantizing {
namespace {

constexpr const char* kDefaultQuantizer = "dynamic";

/// Options of the call over those of the file, which count where the file names the same
/// quantizer or the call names none.
Options merged(const QuantizeSettings& settings, const PluginChoice& configured) {
  Options options;
  if (settings.quantizer.empty() || settings.quantizer == configured.plugin) {
    options = configured.options;
  }
  for (const auto& [name, value] : settings.options.values()) {
    options.set(name, value);
  }
  return options;
}

std::string first_named(const std::string& given, const std::string& configured) {
  if (!given.empty()) {
    return given;
  }
  return configured.empty() ? kDefaultQuantizer : configured;
}

}  // namespace

ResolvedSettings resolve(const QuantizeSettings& settings) {
  QuantizationRequest configured;
  if (!settings.config.empty()) {
    configured = running::read_config(settings.config, &QuantizationRequest::from_json);
  }
  const loading::PluginFile plugin =
      loading::PluginCatalog::scan(loading::default_search_path(settings.plugin_dirs))
          .find(PluginKind::kQuantizer,
                first_named(settings.quantizer, configured.quantizer.plugin));
  serving::PluginStore plugins;
  ResolvedSettings resolved;
  resolved.quantizer =
      plugins.new_quantizer({plugin.path, merged(settings, configured.quantizer)});
  resolved.patterns.include =
      settings.include.empty() ? configured.include : settings.include;
  resolved.patterns.exclude =
      settings.exclude.empty() ? configured.exclude : settings.exclude;
  resolved.calibration_batches = settings.calibration_batches
                                     ? settings.calibration_batches
                                     : configured.calibration_batches;
  return resolved;
}

}  // namespace sizewise::quantizing

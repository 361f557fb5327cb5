#pragma once

#include <memory>
#include <string_view>

#include "sizewise/dataset_info.hpp"
#include "sizewise/options.hpp"

#include "loading/plugin_catalog.hpp"

namespace sizewise::loading {

/// Loads the plugin (once a process, never unloaded), checks its descriptor and makes an
/// instance. `data` may be null for the kinds that see no data.
/// @throws Error with the plugin's own code where create() refuses; kPlugin where it
/// cannot be
///   loaded or its descriptor is wrong, naming the library or symbol that is missing
[[nodiscard]] std::shared_ptr<void> instantiate(const PluginFile& plugin,
                                                std::string_view interface_name,
                                                const Options& options,
                                                const DatasetInfo* data);

/// The same, typed: Interface is one of the SDK's abstract classes.
template <class Interface>
[[nodiscard]] std::shared_ptr<Interface> instantiate(const PluginFile& plugin,
                                                     const Options& options,
                                                     const DatasetInfo* data = nullptr) {
  return std::static_pointer_cast<Interface>(
      instantiate(plugin, Interface::kInterfaceName, options, data));
}

/// Runs a call into a plugin and turns whatever it throws into an Error that names the
/// plugin: the one place where a plugin's exception is caught.
template <class Call>
auto call_plugin(std::string_view id, Call&& call) -> decltype(call());

/// Rethrows the exception in flight as an Error naming the plugin. [in a catch block]
[[noreturn]] void rethrow_as_plugin_error(std::string_view id);

template <class Call>
auto call_plugin(std::string_view id, Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    rethrow_as_plugin_error(id);
  }
}

}  // namespace sizewise::loading

#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "sizewise/dataset_info.hpp"
#include "sizewise/options.hpp"

#include "loading/plugin_catalog.hpp"

namespace sizewise::loading {

/// Takes the lines that a plugin logs. level: 0 debug, 1 info, 2 warning. Called from any
/// thread; must not throw.
using PluginLog = std::function<void(int level, std::string_view message)>;

/// Loads the plugin (it is never unloaded), checks its descriptor and makes an instance.
/// `data` may be null for the kinds that see no data; without a `log` the plugin's lines
/// go nowhere.
/// @throws Error with the plugin's own code where create() refuses; kPlugin where the
///   file cannot be loaded (E_DLOPEN, naming the library or symbol that is missing), has
///   no entry (E_NO_ENTRY), its descriptor is wrong (E_DESCRIPTOR), or create() throws
///   through the C boundary (E_THROW) or gives no instance (E_CREATE)
[[nodiscard]] std::shared_ptr<void> instantiate(const PluginFile& plugin,
                                                std::string_view interface_name,
                                                const Options& options,
                                                const DatasetInfo* data,
                                                PluginLog log = {});

/// The same, typed: Interface is one of the SDK's abstract classes.
template <class Interface>
[[nodiscard]] std::shared_ptr<Interface> instantiate(const PluginFile& plugin,
                                                     const Options& options,
                                                     const DatasetInfo* data = nullptr,
                                                     PluginLog log = {}) {
  return std::static_pointer_cast<Interface>(
      instantiate(plugin, Interface::kInterfaceName, options, data, std::move(log)));
}

/// Rethrows the exception in flight as an Error naming the plugin: an Error keeps its
/// code. [in a catch block]
[[noreturn]] void rethrow_as_plugin_error(std::string_view id);

/// Runs a call into a plugin and turns whatever it throws into an Error that names the
/// plugin: the one place where a plugin's exception is caught.
template <class Call>
auto call_plugin(std::string_view id, Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    rethrow_as_plugin_error(id);
  }
}

}  // namespace sizewise::loading

#include "loading/plugin_instance.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include <boost/dll/shared_library.hpp>
#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include "sizewise/plugin_abi.h"

#include "loading/refusal.hpp"

namespace sizewise::loading {
namespace {

/// RTLD_NOW: a missing symbol is an error now, not an exit later. RTLD_LOCAL: two plugins
/// may define the same name. RTLD_NODELETE, which Boost does not name: a plugin stays
/// mapped when the last handle goes, because LibTorch keeps pointers into it.
const auto kLoadMode = static_cast<boost::dll::load_mode::type>(
    boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | RTLD_NODELETE);

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? std::string(name.get()) : symbol;
}

/// Turns dlerror()'s words into a refusal that names what is missing.
[[noreturn]] void refuse_dlopen(const PluginFile& plugin, const std::string& words) {
  constexpr std::string_view kUndefined = "undefined symbol: ";
  constexpr std::string_view kNoFile = ": cannot open shared object file";
  const std::string where = plugin.path.string();
  if (const std::size_t at = words.find(kUndefined); at != std::string::npos) {
    const std::string symbol = words.substr(at + kUndefined.size());
    refuse("E_DLOPEN",
           fmt::format("{}: no library defines its symbol {}",
                       where,
                       demangled(symbol.substr(0, symbol.find_first_of(",\t ")))),
           "link the library that defines it: LIBRARIES of sizewise_add_plugin()");
  }
  if (const std::size_t at = words.find(kNoFile); at != std::string::npos) {
    refuse("E_DLOPEN",
           fmt::format("{}: it needs {}, which is not found", where, words.substr(0, at)),
           "install that library, or rebuild the plugin where it is");
  }
  refuse("E_DLOPEN", fmt::format("{}: {}", where, words), "build the plugin again");
}

/// A plugin that is loaded twice is mapped once: dlopen() counts. So nothing is kept
/// here.
boost::dll::shared_library load(const PluginFile& plugin) {
  // Boost turns every failure into "Bad file descriptor"; the words are in dlerror().
  boost::dll::shared_library library;
  boost::dll::fs::error_code fault;
  ::dlerror();
  library.load(plugin.path.string(), kLoadMode, fault);
  if (fault) {
    const char* const words = ::dlerror();
    refuse_dlopen(plugin, words != nullptr ? words : fault.message());
  }
  return library;
}

[[noreturn]] void refuse_descriptor(const PluginFile& plugin,
                                    std::string_view what,
                                    std::string_view received,
                                    std::string_view allowed) {
  refuse("E_DESCRIPTOR",
         fmt::format("{}: the {} of its descriptor is {}; allowed: {}",
                     plugin.path.string(),
                     what,
                     received,
                     allowed),
         "export the plugin with the macro of its kind, such as SIZEWISE_MODEL(Class)");
}

void check_descriptor(const PluginFile& plugin, const sizewise_descriptor* descriptor) {
  if (descriptor == nullptr) {
    refuse_descriptor(plugin, "address", "null", "a descriptor");
  }
  if (descriptor->magic != SIZEWISE_PLUGIN_MAGIC) {
    refuse_descriptor(plugin,
                      "magic number",
                      fmt::format("{:#x}", descriptor->magic),
                      fmt::format("{:#x}", SIZEWISE_PLUGIN_MAGIC));
  }
  if (descriptor->struct_size < sizeof(sizewise_descriptor)) {
    refuse_descriptor(plugin,
                      "size",
                      fmt::format("{} bytes", descriptor->struct_size),
                      fmt::format("at least {}", sizeof(sizewise_descriptor)));
  }
  if (descriptor->abi_major != SIZEWISE_ABI_MAJOR ||
      descriptor->abi_minor > SIZEWISE_ABI_MINOR) {
    refuse_descriptor(
        plugin,
        "ABI version",
        fmt::format("{}.{}", descriptor->abi_major, descriptor->abi_minor),
        fmt::format(
            "{}.0 to {}.{}", SIZEWISE_ABI_MAJOR, SIZEWISE_ABI_MAJOR, SIZEWISE_ABI_MINOR));
  }
  const auto kind = static_cast<PluginKind>(descriptor->kind);
  if (kind != plugin.manifest.kind) {
    refuse_descriptor(
        plugin,
        "kind",
        fmt::format("{} ({})", to_string(kind), descriptor->kind),
        fmt::format("{}, as its manifest says", to_string(plugin.manifest.kind)));
  }
  if (descriptor->create == nullptr || descriptor->destroy == nullptr ||
      descriptor->get_interface == nullptr) {
    refuse_descriptor(
        plugin, "create, destroy or get_interface", "null", "three functions");
  }
}

const sizewise_descriptor& descriptor_of(const PluginFile& plugin) {
  const boost::dll::shared_library library = load(plugin);
  if (!library.has(SIZEWISE_PLUGIN_SYMBOL)) {
    refuse(
        "E_NO_ENTRY",
        fmt::format(
            "{}: it exports no symbol {}", plugin.path.string(), SIZEWISE_PLUGIN_SYMBOL),
        "export the plugin with the macro of its kind, such as SIZEWISE_MODEL(Class)");
  }
  const auto& entry = library.get<const sizewise_descriptor*()>(SIZEWISE_PLUGIN_SYMBOL);
  const sizewise_descriptor* const descriptor = entry();
  check_descriptor(plugin, descriptor);
  return *descriptor;
}

/// What an instance needs from the host as long as it lives.
struct Services {
  PluginLog log;
  sizewise_host_services table{};

  static void write(void* context, int32_t level, const char* message) noexcept {
    const auto* services = static_cast<const Services*>(context);
    if (services->log && message != nullptr) {
      services->log(level, message);
    }
  }
};

std::shared_ptr<Services> make_services(PluginLog log) {
  auto services = std::make_shared<Services>();
  services->log = std::move(log);
  services->table = {sizeof(sizewise_host_services),
                     SIZEWISE_ABI_MAJOR,
                     SIZEWISE_ABI_MINOR,
                     services.get(),
                     &Services::write};
  return services;
}

/// @throws Error with the code that the plugin wrote, naming the plugin
[[noreturn]] void refuse_create(const PluginFile& plugin,
                                const sizewise_error_record& record) {
  const bool known = record.code <= static_cast<uint32_t>(ErrorCode::kInternal);
  const auto text = [](const auto& field) {
    // A plugin in another language may have left out the zero.
    return std::string(field, ::strnlen(field, sizeof field));
  };
  const std::string message = text(record.message);
  throw Error(
      known ? static_cast<ErrorCode>(record.code) : ErrorCode::kPlugin,
      fmt::format("plugin '{}': {}",
                  plugin.manifest.id,
                  message.empty() ? "create() refused and gave no reason" : message),
      text(record.suggestion));
}

void* create_instance(const PluginFile& plugin,
                      const sizewise_descriptor& descriptor,
                      const sizewise_host_services& services,
                      const Options& options,
                      const DatasetInfo* data) {
  sizewise_error_record record{};
  record.struct_size = sizeof record;
  record.code = static_cast<uint32_t>(ErrorCode::kPlugin);
  void* instance = nullptr;
  int32_t refused = 0;
  const std::string options_text = options.to_json();
  const std::string data_text = data != nullptr ? data->to_json() : std::string();
  try {
    refused = descriptor.create(&services,
                                options_text.c_str(),
                                data != nullptr ? data_text.c_str() : nullptr,
                                &instance,
                                &record);
  } catch (const std::exception& error) {
    refuse("E_THROW",
           fmt::format("plugin '{}': create() threw through its C boundary: {}",
                       plugin.manifest.id,
                       error.what()),
           "catch every exception in create() and fill in the error record");
  } catch (...) {
    refuse("E_THROW",
           fmt::format("plugin '{}': create() threw through its C boundary",
                       plugin.manifest.id),
           "catch every exception in create() and fill in the error record");
  }
  if (refused != 0) {
    refuse_create(plugin, record);
  }
  if (instance == nullptr) {
    refuse(
        "E_CREATE",
        fmt::format("plugin '{}': create() said that it succeeded and gave no instance",
                    plugin.manifest.id));
  }
  return instance;
}

}  // namespace

std::shared_ptr<void> instantiate(const PluginFile& plugin,
                                  std::string_view interface_name,
                                  const Options& options,
                                  const DatasetInfo* data,
                                  PluginLog log) {
  const sizewise_descriptor& descriptor = descriptor_of(plugin);
  std::shared_ptr<Services> services = make_services(std::move(log));
  void* const instance =
      create_instance(plugin, descriptor, services->table, options, data);
  const auto destroy = [&descriptor, services, instance](void* /*interface*/) {
    descriptor.destroy(instance);
  };
  // Owned from here: what follows may throw.
  const std::shared_ptr<void> owner(instance, destroy);
  void* const face =
      descriptor.get_interface(instance, std::string(interface_name).c_str());
  if (face == nullptr) {
    refuse("E_DESCRIPTOR",
           fmt::format("plugin '{}' ({}) offers no interface '{}'",
                       plugin.manifest.id,
                       plugin.path.string(),
                       interface_name),
           "rebuild the plugin with find_package(Sizewise) of this installation");
  }
  return {owner, face};
}

void rethrow_as_plugin_error(std::string_view id) {
  const std::string prefix = fmt::format("plugin '{}': ", id);
  try {
    throw;
  } catch (const Error& error) {
    // Nested calls name the plugin once.
    const bool named = error.message().rfind(prefix, 0) == 0;
    throw Error(error.code(),
                named ? error.message() : prefix + error.message(),
                error.suggestion());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kPlugin,
                prefix + "out of memory",
                "free some, or give it less: a smaller size, fewer rows");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kPlugin, prefix + "it threw: " + error.what());
  } catch (...) {
    throw Error(ErrorCode::kPlugin,
                prefix + "it threw something that is no std::exception");
  }
}

}  // namespace sizewise::loading

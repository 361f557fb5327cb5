#pragma once

#include <concepts>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>

#include "sizewise/build_tag.hpp"
#include "sizewise/dataset_info.hpp"
#include "sizewise/error.hpp"
#include "sizewise/manifest.hpp"
#include "sizewise/options.hpp"
#include "sizewise/plugin_abi.h"

// How a C++ class becomes a plugin. Authors use the macro of their kind (SIZEWISE_MODEL,
// ...); what stands here is what those macros share.

/// The text of plugin.json, compiled in by sizewise_add_plugin().
// NOLINTNEXTLINE(readability-identifier-naming): a C symbol
extern "C" __attribute__((visibility("hidden"))) const char sizewise_plugin_manifest[];

namespace sizewise::detail {

/// Writes an error into the caller's record; texts are cut to fit. [any thread]
void fill_error_record(sizewise_error_record* record,
                       ErrorCode code,
                       std::string_view message,
                       std::string_view suggestion) noexcept;

/// Describes the exception in flight in the caller's record. [in a catch block]
void fill_error_record_from_current_exception(sizewise_error_record* record) noexcept;

/// Whether a plugin's class can be made from (options, data), (options) or ().
template <class T>
inline constexpr bool kIsPluginConstructible =
    std::is_constructible_v<T, const Options&, const DatasetInfo&> ||
    std::is_constructible_v<T, const Options&> || std::is_default_constructible_v<T>;

template <class T>
std::unique_ptr<T> construct(const Options& options, const DatasetInfo& data) {
  if constexpr (std::is_constructible_v<T, const Options&, const DatasetInfo&>) {
    return std::make_unique<T>(options, data);
  } else if constexpr (std::is_constructible_v<T, const Options&>) {
    return std::make_unique<T>(options);
  } else {
    return std::make_unique<T>();
  }
}

/// The C functions of a plugin whose class Implementation derives from Interface.
template <class Interface, class Implementation>
struct Trampoline {
  static int32_t create(const sizewise_host_services* /*host*/,
                        const char* options,
                        const char* data,
                        void** instance,
                        sizewise_error_record* error) noexcept {
    try {
      std::unique_ptr<Interface> made = construct<Implementation>(
          Options::from_json(options != nullptr ? options : "{}"),
          data != nullptr ? DatasetInfo::from_json(data) : DatasetInfo{});
      *instance = made.release();
      return 0;
    } catch (...) {
      fill_error_record_from_current_exception(error);
      return 1;
    }
  }

  static void destroy(void* instance) noexcept {
    delete static_cast<Interface*>(instance);
  }

  static void* get_interface(void* instance, const char* name) noexcept {
    return std::string_view(name) == Interface::kInterfaceName ? instance : nullptr;
  }
};

template <class Interface, class Implementation>
const sizewise_descriptor* descriptor(PluginKind kind) noexcept {
  using Calls = Trampoline<Interface, Implementation>;
  static const sizewise_descriptor kDescriptor{SIZEWISE_PLUGIN_MAGIC,
                                               sizeof(sizewise_descriptor),
                                               SIZEWISE_ABI_MAJOR,
                                               SIZEWISE_ABI_MINOR,
                                               static_cast<uint32_t>(kind),
                                               SIZEWISE_BUILD_TAG,
                                               sizewise_plugin_manifest,
                                               &Calls::create,
                                               &Calls::destroy,
                                               &Calls::get_interface,
                                               {}};
  return &kDescriptor;
}

}  // namespace sizewise::detail

/// Exports the one symbol of a plugin. SIZEWISE_PLUGIN_KIND comes from plugin.json.
#define SIZEWISE_EXPORT_PLUGIN(Interface, Implementation, KIND)                        \
  static_assert(SIZEWISE_PLUGIN_KIND == (KIND),                                        \
                "the macro in this source and \"kind\" in plugin.json name different " \
                "kinds of plugin");                                                    \
  extern "C" __attribute__((visibility("default"))) const sizewise_descriptor*         \
  sizewise_plugin_v1() {                                                               \
    return ::sizewise::detail::descriptor<Interface, Implementation>(                  \
        static_cast<::sizewise::PluginKind>(KIND));                                    \
  }

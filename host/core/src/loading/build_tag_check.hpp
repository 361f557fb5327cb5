#pragma once

#include <string_view>

#include "loading/plugin_catalog.hpp"

namespace sizewise::loading {

/// Compares what a plugin was built with to what this host was built with, field by
/// field: architecture, SDK (major equal, minor at most the host's), standard library,
/// its string ABI and debug mode, sanitizer. The compiler is information only, and
/// LibTorch is compared where it is linked: check_torch().
/// @throws Error kPlugin, E_ABI naming every field that differs with both values
void check_build_tag(std::string_view plugin_tag);

/// The same against any host's tag.
void check_build_tag(std::string_view plugin_tag, std::string_view host_tag);

/// For the program that links LibTorch: whether a plugin was built against this one.
/// @param torch_version TORCH_VERSION of the caller
/// @throws Error kPlugin, E_ABI with both versions
void check_torch(const PluginFile& plugin, std::string_view torch_version);

}  // namespace sizewise::loading

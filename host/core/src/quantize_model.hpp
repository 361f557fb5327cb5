#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "sizewise/host.hpp"

#include "loading/plugin_catalog.hpp"

// One quantization in a worker, for the commands quantize and find-optimal.

namespace sizewise {

/// @param flag without its dashes, for the message
/// @throws Error kConfiguration where the count is given and below 1
void check_positive(const char* flag, const std::optional<int64_t>& count);

/// What quantize() does, with the plugins of a catalog.
/// @param working_folder of the worker; empty: this process's
/// @throws running::Stopped where `stop` became true; Error as quantize()
[[nodiscard]] QuantizationReport quantize_model(
    const loading::PluginCatalog& catalog,
    const QuantizationRequest& request,
    const std::filesystem::path& working_folder,
    const Callbacks& callbacks);

}  // namespace sizewise

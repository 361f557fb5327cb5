#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "loading/plugin_catalog.hpp"

namespace sizewise::cli {

/// One size of a model, as the worker counted it.
struct ModelSize {
  std::optional<double> asked_params;  ///< where the size was found for a target
  int64_t size = 0;
  int64_t params = 0;
};

/// --sizes, --params, and what the model may need to be made: --model-option, --dataset
/// and --dataset-option.
CommandLine& add_model_size_flags(CommandLine& line);

/// Asks a worker for the parameters of the sizes that the flags name; empty where they
/// name none.
/// @throws Error kConfiguration where the plugin is no model, or a size or number is not
///   allowed; kPlugin where the model cannot be made (naming what it may lack)
[[nodiscard]] std::vector<ModelSize> model_sizes(const CommandLine& line,
                                                 const loading::PluginFile& model,
                                                 const loading::PluginCatalog& catalog,
                                                 Console& console);

}  // namespace sizewise::cli

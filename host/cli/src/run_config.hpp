#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sizewise/experiment.hpp"

#include "command_line.hpp"

namespace sizewise::cli {

/// What a --config file of a run holds: the experiment, and how its best model is
/// quantized, which determines no trial and is therefore no part of the experiment.
struct RunConfig {
  Experiment experiment;
  PluginChoice quantizer;                      ///< empty: nothing is quantized
  std::optional<int64_t> calibration_batches;  ///< at least 1
};

/// @throws Error kInput for bad JSON, kConfiguration for an unknown field or a value not
///   allowed
[[nodiscard]] RunConfig run_config_from_json(std::string_view text);

/// What the file of --config holds, or the defaults where none is given.
/// @throws Error kIo where it cannot be read, else as run_config_from_json(), naming it
[[nodiscard]] RunConfig run_config_from(const CommandLine& line);

}  // namespace sizewise::cli

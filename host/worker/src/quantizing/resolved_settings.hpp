#pragma once

#include <cstdint>
#include <optional>

#include "sizewise/quantize.hpp"

#include "quantizing/quantize_job.hpp"

namespace sizewise::quantizing {

/// Settings after call, configuration file and defaults, in that order of priority.
struct ResolvedSettings {
  NamedQuantizer quantizer;  ///< loaded
  NamePatterns patterns;
  std::optional<int64_t> calibration_batches;
};

/// @throws Error kConfiguration for an unknown quantizer, field or option, or for a value
///   that is not allowed; kInput for bad JSON; kIo where the file cannot be read; kPlugin
///   where the quantizer cannot be loaded
[[nodiscard]] ResolvedSettings resolve(const QuantizeSettings& settings);

}  // namespace sizewise::quantizing

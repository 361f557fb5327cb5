#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sizewise/error.hpp"
#include "sizewise/quantize.hpp"

namespace sizewise::serving {

/// The report of docs/command-line.md, `sizewise quantize --json`, of which `calibration`
/// and `evaluation` are null where there was none, and `bytes` where nothing was written.
[[nodiscard]] nlohmann::json report_to_json(const QuantizationInfo& info,
                                            const std::vector<Error>& errors,
                                            const std::vector<std::string>& warnings);

}  // namespace sizewise::serving

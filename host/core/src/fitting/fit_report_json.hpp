#pragma once

#include <nlohmann/json_fwd.hpp>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// The object that `sizewise fit --json` prints and law.json holds. Numbers read back
/// exactly; what is not known or not bounded is null. Beside the fields that scripts rely
/// on it holds what predict needs: cost_points, largest_flops and params_seen.
[[nodiscard]] nlohmann::json fit_report_to_json(const FitReport& report);

/// Its field "optima" alone.
[[nodiscard]] nlohmann::json optima_to_json(const FitReport& report);

/// Reads what fit_report_to_json() wrote.
/// @throws Error kInput naming the field that is missing or wrong
[[nodiscard]] FitReport fit_report_from_json(const nlohmann::json& object);

}  // namespace sizewise::fitting

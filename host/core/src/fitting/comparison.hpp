#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// One number of which two fits say something.
struct Difference {
  std::string quantity;  ///< "a", "b" or "params for 1e24"
  std::string first;     ///< the fits' ids
  std::string second;
  double of_first = FitResult::kUnknown;
  double of_second = FitResult::kUnknown;
  std::optional<Interval> interval_of_first;
  std::optional<Interval> interval_of_second;
  /// Of second - first (of params: ln second - ln first) over the same resamples.
  std::optional<Interval> interval;

  /// Whether the intervals have nothing in common; false where one is missing.
  [[nodiscard]] bool disagrees() const;
};

/// Every pair of fits of the same rows, number by number. Which of them is right no
/// interval says.
[[nodiscard]] std::vector<Difference> differences_of(std::span<const FitReport> reports);

/// {"fits": [as fit_report_to_json()], "differences": [...], "disagree": bool}
[[nodiscard]] nlohmann::json comparison_to_json(
    std::span<const FitReport> reports, const std::vector<Difference>& differences);

}  // namespace sizewise::fitting

#pragma once

#include <span>
#include <string>
#include <vector>

#include "fitting/comparison.hpp"
#include "fitting/fit_report.hpp"

namespace sizewise::reporting {

/// A fit for people: rows, law, exponents with their intervals, optima, status in words
/// and warnings, in lines of at most 80 columns. Ends with a line end.
[[nodiscard]] std::string fit_text(const fitting::FitReport& report);

/// The tables of the optima alone, with their heads; empty where there are none.
[[nodiscard]] std::string optima_text(const fitting::FitReport& report);

/// Several fits of the same rows side by side, and whether they disagree.
/// @param reports at least one
[[nodiscard]] std::string comparison_text(
    std::span<const fitting::FitReport> reports,
    const std::vector<fitting::Difference>& differences);

}  // namespace sizewise::reporting

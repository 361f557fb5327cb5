#pragma once

#include <string>

#include "fitting/fit_report.hpp"

namespace sizewise::reporting {

/// A fit for people: rows, law, exponents with their intervals, optima, status in words
/// and warnings, in lines of at most 80 columns. Ends with a line end.
[[nodiscard]] std::string fit_text(const fitting::FitReport& report);

/// The table of the optima alone, with its head; empty where there are none.
[[nodiscard]] std::string optima_text(const fitting::FitReport& report);

}  // namespace sizewise::reporting

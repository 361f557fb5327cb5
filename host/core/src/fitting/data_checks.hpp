#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Fills in which sizes, ratios and FLOPs the rows used span. Rows without usable numbers
/// do not count.
void describe_data(const RunTable& runs, FitReport& report);

/// Warns of what makes any law of these rows less sure: N that counts embeddings or not,
/// FLOPs that are not 6 N D, long warm-ups, and runs of which every checkpoint counts.
void warn_of_data(const RunTable& runs, FitReport& report);

/// Warns of what makes the answers less certain: far extrapolation, ratios of D to N
/// outside the data, models or data of less than one, power laws of N and D that do not
/// spend the same budget, a target that no budget reaches, and FLOPs that were not
/// counted.
void warn_of_optima(FitReport& report);

/// Warns where the law of the smaller budgets does not foresee the largest one.
void warn_of_hold_out(FitReport& report);

}  // namespace sizewise::fitting

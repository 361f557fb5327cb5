#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Adds the host's own reasons for which rows cannot identify a law: N spans less than a
/// decade, or fewer than 3 budgets. `runs`: the rows used.
void judge_rows(const RunTable& runs, FitResult& result);

/// How many budgets the rows hold: values of budget_flops, and where a row has none its
/// own flops (6 N D without), counted apart where they differ by more than a tenth.
[[nodiscard]] std::size_t count_budgets(const RunTable& runs);

/// Marks a report as not identified where more than a quarter of the replicates have no
/// identified law; warns where more do not than the interval leaves outside.
void judge_bootstrap(FitReport& report);

/// Warns of what makes a report's optima less certain: far extrapolation, ratios of D to
/// N outside the data, power laws of N and D that do not spend the same budget, and FLOPs
/// that were not counted.
void warn_of_optima(FitReport& report);

}  // namespace sizewise::fitting

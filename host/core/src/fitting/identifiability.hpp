#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Adds the host's own reasons for which rows cannot identify a law: N spans less than a
/// decade, or fewer than 3 budgets. `runs`: the rows used.
void judge_rows(const RunTable& runs, FitResult& result);

/// Marks a report as not identified where the 95 % interval of the exponent a (of
/// the bootstrap, else of the Hessian) reaches outside (0, 1): the rows then do not show
/// whether larger budgets want larger models or more data.
void judge_exponent(FitReport& report);

/// Marks a report as not identified where the bootstrap disagrees with itself in kind:
/// more than a quarter of the replicates have no identified law. Warns where more do not
/// than the interval leaves outside.
void judge_bootstrap(FitReport& report);

}  // namespace sizewise::fitting

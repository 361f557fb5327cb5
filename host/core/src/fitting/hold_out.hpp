#pragma once

#include <optional>

#include "fitting/fit_job.hpp"

namespace sizewise::fitting {

/// Predicts rows that the fit does not see: `held`, where the request names such rows,
/// and else those of the largest budget from a fit of the others, where there are at
/// least 4 budgets. Nothing where there are no such rows or the others give no law.
/// @param runs the whole table, with the rows held out
/// @param best the fit of job.used
[[nodiscard]] std::optional<HoldOutReport> hold_out(const FitJob& job,
                                                    const RunTable& runs,
                                                    const std::vector<std::size_t>& held,
                                                    const FitResult& best);

}  // namespace sizewise::fitting

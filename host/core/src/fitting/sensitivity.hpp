#pragma once

#include <string>
#include <vector>

#include "fitting/fit_job.hpp"

namespace sizewise::fitting {

/// Columns of a table that count parameters in another way than `params`: numbers, named
/// params_SOMETHING.
[[nodiscard]] std::vector<std::string> other_counts_of_params(const RunTable& runs);

/// The same fit with every other count of N that the table has, and with FLOPs counted
/// and as 6 N D where it has both. Full searches. Source of the warning: Pearce and Song
/// 2024 (arXiv 2406.12907), section 2.
[[nodiscard]] std::vector<SensitivityRow> sensitivity_of(const FitJob& job);

}  // namespace sizewise::fitting

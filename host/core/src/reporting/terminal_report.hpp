#pragma once

#include <string>
#include <vector>

#include "sizewise/host.hpp"

#include "planning/plan.hpp"

// What people read in a terminal: at most 80 columns.

namespace sizewise::reporting {

/// A table of trials: size, params, tokens, FLOPs, loss, status.
[[nodiscard]] std::string trials_table(const std::vector<TrialState>& trials);

/// A table of planned trials, with a line that sums them up.
[[nodiscard]] std::string plan_table(const planning::Plan& plan);

/// Trials, law and recommendation.
[[nodiscard]] std::string outcome_report(const Outcome& outcome);

/// 12345678 -> "12.3M"; up to four digits stay.
[[nodiscard]] std::string short_count(double count);

/// 95 -> "1 min 35 s"; NaN -> "?".
[[nodiscard]] std::string short_time(double seconds);

}  // namespace sizewise::reporting

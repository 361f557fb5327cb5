#pragma once

#include <map>
#include <string>
#include <vector>

#include "sizewise/runs.hpp"

#include "planning/plan.hpp"
#include "running/trial_result.hpp"

namespace sizewise::running {

using Results = std::map<std::string, TrialResult>;  ///< by trial id

/// "pilot" for a sweep's probe that is done, else the result's own status.
[[nodiscard]] std::string row_status(const planning::Trial& trial,
                                     const TrialResult& result);

/// One row a trial that has a result, in the order of the plan: what a sweep is told and
/// what runs.csv holds.
[[nodiscard]] RunTable run_records(const std::vector<planning::Trial>& trials,
                                   const Results& results,
                                   uint64_t seed);

}  // namespace sizewise::running

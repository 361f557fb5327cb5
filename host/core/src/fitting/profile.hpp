#pragma once

#include <string>

#include "fitting/fit_job.hpp"

namespace sizewise::fitting {

/// The interval of one value of the law by profile likelihood: all values of which the
/// best fit with it held is no worse than a chi-squared variable of one degree of freedom
/// allows. An end is infinite where no value that far is excluded; 0 does not bound what
/// may be 0. Source: Venzon and Moolgavkar 1988, A method for computing
/// profile-likelihood-based confidence intervals.
/// @throws Error kConfiguration where the law has no such value, and what the plugin
/// throws where it cannot hold it
[[nodiscard]] ProfileReport profile_of(const FitJob& job,
                                       const FitResult& best,
                                       const std::string& name);

}  // namespace sizewise::fitting

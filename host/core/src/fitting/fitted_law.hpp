#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Checks that a law that was read can be asked: that its form is one of those of
/// sizewise/fit.hpp, with all its values and each where the form allows it, that its
/// covariance is one, and that each value was drawn where any was. A law that is not
/// identified may lack values, and has none where all are null or absent.
/// @throws Error kInput naming the key, what it is and what is allowed
void check_law(const FitReport& report);

}  // namespace sizewise::fitting

#pragma once

#include <optional>
#include <vector>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Standard errors and intervals from the covariance that a fit gives, and by the delta
/// method of a and b; nothing where the fit gives none. Rows are taken as independent.
/// Source: Oehlert 1992, A note on the delta method.
[[nodiscard]] std::optional<HessianReport> standard_errors(const FitResult& result,
                                                           double level);

/// Intervals of the optima by the delta method on logarithms; from laws drawn around the
/// one found where the data are limited, since an optimum has a bend where they run out.
/// None where they do not exist.
void give_hessian_intervals(const FitResult& result,
                            const CostModel& cost_model,
                            const Asked& asked,
                            double level,
                            std::vector<Optimum>& optima);

}  // namespace sizewise::fitting

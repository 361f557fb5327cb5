#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Answers all that is asked with the report's law and cost model: one optimum a question
/// that a law of its form can answer, each with the interval of the delta method where
/// the fit gave a covariance. A warning names the questions that it cannot answer.
void answer_questions(const Asked& asked, double level, FitReport& report);

/// The least and the largest FLOPs of the rows' runs under a cost model.
[[nodiscard]] Interval budgets_of(const RunTable& runs, const CostModel& cost_model);

/// The exponent with which N* grows between two budgets under a cost model; NaN where the
/// law names no N*. Where a unit costs in proportion to N it is the law's own `a`.
[[nodiscard]] double growth_of_params(const Law& law,
                                      const CostModel& cost_model,
                                      const Interval& budgets);

}  // namespace sizewise::fitting

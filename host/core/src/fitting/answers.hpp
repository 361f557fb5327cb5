#pragma once

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Answers all that is asked with the report's law and cost model: one optimum a question
/// that a law of its form can answer, each with the interval of the delta method where
/// the fit gave a covariance. A warning names the questions that it cannot answer.
void answer_questions(const Asked& asked, double level, FitReport& report);

}  // namespace sizewise::fitting

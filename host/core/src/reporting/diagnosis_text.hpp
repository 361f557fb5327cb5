#pragma once

#include <string>

#include "fitting/fit_report.hpp"

namespace sizewise::reporting {

/// What speaks for and against a law beside its intervals: rows held out, rows far from
/// it, residuals, other readings of N and C. Empty where there is nothing. Private to
/// this folder.
[[nodiscard]] std::string diagnosis_text(const fitting::FitReport& report);

}  // namespace sizewise::reporting

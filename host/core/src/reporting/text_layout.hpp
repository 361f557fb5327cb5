#pragma once

#include <string>

#include "fitting/interval.hpp"
#include "reporting/text.hpp"

// The pieces of people's tables. Private to this folder.

namespace sizewise::reporting {

/// "unbounded" where it is not finite.
[[nodiscard]] std::string end_text(double end);

/// "LOW to HIGH".
[[nodiscard]] std::string interval_text(const fitting::Interval& interval);

/// The line without spaces at its end, and with a line end.
[[nodiscard]] std::string line_of(std::string line);

/// A finite number in a format of fmt, such as "{:.3g}".
[[nodiscard]] std::string number_or(double number,
                                    const char* format,
                                    const char* otherwise);

/// A number in `digits` significant digits; empty for NaN.
[[nodiscard]] std::string number_text(double number, int digits = 5);

}  // namespace sizewise::reporting

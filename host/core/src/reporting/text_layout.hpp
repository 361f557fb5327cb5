#pragma once

#include <string>
#include <string_view>

#include "fitting/interval.hpp"

// How people's text is laid out: lines of at most 80 columns. Private to this folder.

namespace sizewise::reporting {

inline constexpr std::size_t kWidth = 80;

/// Words in lines of at most kWidth columns; the first begins with `head`, the others are
/// indented as far.
[[nodiscard]] std::string paragraph(std::string_view head, std::string_view text);

/// "unbounded" where it is not finite.
[[nodiscard]] std::string end_text(double end);

/// "LOW to HIGH".
[[nodiscard]] std::string interval_text(const fitting::Interval& interval);

/// The line without spaces at its end, and with a line end.
[[nodiscard]] std::string line_of(std::string line);

/// A number in `digits` significant digits; empty for NaN.
[[nodiscard]] std::string number_text(double number, int digits = 5);

}  // namespace sizewise::reporting

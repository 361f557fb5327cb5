#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// A value of a column, where it is finite and above 0.
/// @param row for the message
/// @throws Error kInput otherwise
double checked_positive(double value, std::string_view column, std::size_t row);

/// The rows that count: of a weight above 0 (a weight of 2 is a row twice in sums).
/// @throws Error kInput where there is none, or a weight is negative, not finite, or
/// their number is not the rows'
[[nodiscard]] std::vector<std::size_t> counted_rows(const FitInput& input);

/// Some rows of a column.
/// @throws Error kInput where it is missing or holds a value not finite and above 0
[[nodiscard]] std::vector<double> positive_column(const RunTable& runs,
                                                  std::string_view column,
                                                  const std::vector<std::size_t>& rows);

/// The weights of some rows.
[[nodiscard]] std::vector<double> weights_of(const FitInput& input,
                                             const std::vector<std::size_t>& rows);

/// For fits that can hold nothing. @throws Error kConfiguration where `fixed` names a
/// value
void refuse_held_values(const FitInput& input);

}  // namespace sizewise::fits

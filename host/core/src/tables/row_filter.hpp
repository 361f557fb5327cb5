#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/runs.hpp"

namespace sizewise::tables {

/// One condition on a column, such as flops<1e21 or keep240=1.
struct RowFilter {
  enum class Comparison { kEqual, kNotEqual, kLess, kAtMost, kMore, kAtLeast };

  std::string column;
  Comparison comparison = Comparison::kEqual;
  std::string value;  ///< as the user wrote it; a number where the column holds numbers

  /// The condition as the user would write it.
  [[nodiscard]] std::string text() const;
};

/// Reads COLUMN OPERATOR VALUE; operators: =, !=, <, <=, >, >=.
/// @throws Error kConfiguration where no operator or no column stands in the text
[[nodiscard]] RowFilter parse_row_filter(std::string_view text);

/// Which rows a condition keeps. A missing number satisfies only != .
/// @throws Error kInput where the table has no such column, or the column holds numbers
/// and
///   the value is none, or it holds texts and the operator is not = or !=
[[nodiscard]] std::vector<bool> rows_kept(const RunTable& runs, const RowFilter& filter);

}  // namespace sizewise::tables

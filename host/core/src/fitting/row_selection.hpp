#pragma once

#include <cstddef>
#include <vector>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// Which rows of a table are fitted, as places in it, which are only predicted, and how
/// many are neither.
struct RowSelection {
  std::vector<std::size_t> used;
  std::vector<std::size_t> held_out;
  RowCounts counts;
};

/// Leaves out the rows whose status is not "done", those that a filter excludes, and
/// those that are held out.
[[nodiscard]] RowSelection sort_rows(const RunTable& runs, const FitRequest& request);

/// The same. @throws Error kInput where no row is left
[[nodiscard]] RowSelection select_rows(const RunTable& runs, const FitRequest& request);

/// "a=1 and b<2".
[[nodiscard]] std::string filters_text(const std::vector<tables::RowFilter>& filters);

/// A plugin refused the rows: says where the value stands, if one of the columns that
/// every law needs holds it. `places`: of the rows in the file's table.
/// @throws Error kInput with file, line and column where there is such a value
void refuse_bad_value(const RunTable& used,
                      const std::vector<std::size_t>& places,
                      const FitRequest& request);

/// The line of a row in its file, or its place from 1 where there is no file.
[[nodiscard]] uint64_t line_of(const FitRequest& request, std::size_t place);

/// "runs.csv, line 7", or "row 6" where the rows come from no file.
[[nodiscard]] std::string where_stands(const FitRequest& request, std::size_t place);

/// What training each row cost: budget_flops, else flops, else 6 N D, whichever is there
/// and usable; NaN where none is.
[[nodiscard]] std::vector<double> flops_of_rows(const RunTable& runs);

/// How many budgets these FLOPs are, counted up to `most`: those that differ by less than
/// a tenth from the least of a group are one. What is NaN does not count.
[[nodiscard]] std::size_t count_budgets(const std::vector<double>& flops,
                                        std::size_t most);

/// The least FLOPs of the largest budget: of those within a tenth of the largest, and
/// where they are fewer than `rows` (runs may stop at any C) of as many groups as hold so
/// many. NaN of none.
[[nodiscard]] double least_of_largest_budget(const std::vector<double>& flops,
                                             double rows);

}  // namespace sizewise::fitting

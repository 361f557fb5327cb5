#include "fuzz.hpp"
#include "tables/row_filter.hpp"
#include "tables/run_table_file.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  // The first line is a filter, the rest the table.
  const std::size_t end = input.find('\n');
  const std::string_view table =
      end == std::string_view::npos ? input : input.substr(end + 1);
  const RunTable runs = tables::parse_run_table(table, "input").runs;
  const std::string text = tables::write_run_table(runs);
  if (runs.rows() > 0) {
    const RunTable again = tables::parse_run_table(text, "output").runs;
    require(again.rows() == runs.rows(), "a table reads back with all its rows");
    require(again.columns() == runs.columns(), "a table reads back with all its columns");
  }
  if (end != std::string_view::npos) {
    const tables::RowFilter filter = tables::parse_row_filter(input.substr(0, end));
    require(tables::rows_kept(runs, filter).size() == runs.rows(),
            "a filter says of each row whether it stays");
  }
}

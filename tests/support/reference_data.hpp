#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tables/row_filter.hpp"
#include "tables/run_table_file.hpp"

namespace sizewise::testing {

/// The folder of the published tables: SIZEWISE_REFERENCE_DATA, or shared/data beside the
/// project.
inline std::filesystem::path reference_data() {
  const char* const set = std::getenv("SIZEWISE_REFERENCE_DATA");
  return set != nullptr ? std::filesystem::path(set)
                        : std::filesystem::path(SIZEWISE_SOURCE_DIR) / "../shared/data";
}

/// Whether a published table is there. A test that needs it returns where it is not,
/// having said so; on a CI machine, where CI=true, that is a failure.
inline bool has_reference(const std::string& name) {
  const std::filesystem::path path = reference_data() / name;
  if (std::filesystem::exists(path)) {
    return true;
  }
  const char* const ci = std::getenv("CI");
  if (ci != nullptr && std::string(ci) == "true") {
    ADD_FAILURE() << "the reference table " << path
                  << " is absent; set SIZEWISE_REFERENCE_DATA";
  } else {
    std::cout << "not checked: the reference table " << path
              << " is absent; SIZEWISE_REFERENCE_DATA names its folder\n";
  }
  return false;
}

/// The rows of a published table that satisfy all conditions.
inline RunTable reference_rows(const std::string& name,
                               const std::vector<std::string>& conditions = {},
                               const tables::ColumnNames& names = {}) {
  RunTable runs = tables::read_run_table(reference_data() / name, names).runs;
  for (const std::string& condition : conditions) {
    const auto kept = tables::rows_kept(runs, tables::parse_row_filter(condition));
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < kept.size(); ++row) {
      if (kept[row]) {
        rows.push_back(row);
      }
    }
    runs = runs.select(rows);
  }
  return runs;
}

}  // namespace sizewise::testing

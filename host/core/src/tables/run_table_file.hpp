#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/runs.hpp"

namespace sizewise::tables {

/// A table and where its rows stood.
struct RunTableFile {
  RunTable runs;
  std::vector<uint64_t> lines;  ///< of each row, counted from 1
};

/// Sizewise's name of a column -> the file's, as --columns params=N,tokens=D maps them.
using ColumnNames = std::map<std::string, std::string, std::less<>>;

/// Reads "params=N,tokens=D".
/// @throws Error kConfiguration where the text is no such list
[[nodiscard]] ColumnNames parse_column_names(std::string_view text);

/// Reads CSV (RFC 4180, with a header line) or JSON lines; told apart by the first byte.
/// A column is a column of numbers where all its cells are numbers or empty; the columns
/// that Sizewise knows have the type that they must have. `source` names the text in
/// messages.
/// @throws Error kInput with source, line and column where the text is no such table
[[nodiscard]] RunTableFile parse_run_table(std::string_view text,
                                           std::string_view source,
                                           const ColumnNames& names = {});

/// The same of a file. @throws Error kIo where it cannot be read
[[nodiscard]] RunTableFile read_run_table(const std::filesystem::path& path,
                                          const ColumnNames& names = {});

/// CSV with the table's columns in their order; numbers read back exactly (shortest text
/// that does), a missing number is an empty cell.
[[nodiscard]] std::string write_run_table(const RunTable& runs);

}  // namespace sizewise::tables

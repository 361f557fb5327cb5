#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/run_table_file.hpp"

// What the readers of CSV and JSON lines share. Private to this folder.

namespace sizewise::tables {

/// A text without the spaces and tabs around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// The number that a text is, as a whole; "+1" too, nothing for an empty text or one out
/// of a double's range.
[[nodiscard]] std::optional<double> number_of(std::string_view text);

/// Where a cell stands, for messages.
struct Place {
  std::string_view source;
  uint64_t line = 0;
};

/// One column as its cells come in, top to bottom.
class ColumnBuilder {
 public:
  enum class Type {
    kUndecided,  ///< numbers so far, or only empty cells
    kNumber,     ///< a text in it is an error
    kText,
    kSkipped,  ///< its cells are not kept
  };

  /// The type follows from the name where Sizewise knows the column.
  explicit ColumnBuilder(std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Type type() const { return type_; }
  /// Whether a text came after numbers in an undecided column: it must be read again.
  [[nodiscard]] bool must_be_read_again() const { return must_be_read_again_; }
  void start_again(Type type);

  /// @throws Error kInput where the column is of numbers and the cell is none
  void add(std::string_view cell, const Place& place);
  void add_number(double value);
  /// Fills up to `rows` with missing values.
  void pad(std::size_t rows);

  [[nodiscard]] std::size_t size() const;
  /// Moves the cells into the table.
  void finish(RunTable& table);

 private:
  void become_text();

  std::string name_;
  Type type_ = Type::kUndecided;
  bool must_be_read_again_ = false;
  bool has_number_ = false;
  std::vector<double> numbers_;
  std::vector<std::string> texts_;
};

/// @throws Error kInput where a table has more columns than any table of runs
void check_column_count(std::size_t count, std::string_view source);

/// Sizewise's name of each of a file's columns; empty: not kept, since another column
/// takes its name.
/// @throws Error kInput where a mapped column is missing or a name stands twice
[[nodiscard]] std::vector<std::string> mapped_names(
    const std::vector<std::string>& file_names,
    const ColumnNames& names,
    std::string_view source);

[[nodiscard]] RunTableFile parse_csv(std::string_view text,
                                     std::string_view source,
                                     const ColumnNames& names);
[[nodiscard]] RunTableFile parse_json_lines(std::string_view text,
                                            std::string_view source,
                                            const ColumnNames& names);

}  // namespace sizewise::tables

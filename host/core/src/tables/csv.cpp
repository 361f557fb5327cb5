#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "tables/table_builder.hpp"

namespace sizewise::tables {
namespace {

/// More than this in one cell is no cell, but a file that is no table.
constexpr std::size_t kMostCellBytes = std::size_t{1} << 20U;

/// Walks over CSV cell by cell. Source: RFC 4180; spaces around an unquoted cell do not
/// count, and a line may end in LF, CRLF or CR.
class CsvScanner {
 public:
  CsvScanner(std::string_view text, std::string_view source)
      : text_(text), source_(source) {}

  [[nodiscard]] bool at_end() const { return place_ == text_.size(); }
  [[nodiscard]] uint64_t line() const { return line_; }

  /// Skips lines without any cell.
  void skip_empty_lines() {
    while (!at_end() && is_line_end(text_[place_])) {
      end_line();
    }
  }

  /// The next cell of the line; valid until the next call. `is_last`: it ends the line.
  std::string_view next_cell(bool& is_last) {
    const std::size_t first = text_.find_first_not_of(" \t", place_);
    const std::string_view cell = first != std::string_view::npos && text_[first] == '"'
                                      ? quoted_cell(first)
                                      : plain_cell();
    is_last = at_end() || is_line_end(text_[place_]);
    if (is_last) {
      end_line();
    } else {
      ++place_;  // the comma
    }
    return cell;
  }

 private:
  static bool is_line_end(char character) {
    return character == '\n' || character == '\r';
  }

  void end_line() {
    if (at_end()) {
      return;
    }
    const bool is_crlf = text_.substr(place_, 2) == "\r\n";
    place_ += is_crlf ? 2 : 1;
    ++line_;
  }

  [[noreturn]] void refuse_endless_cell(uint64_t line) const {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}, line {}: a cell has more than {} bytes: this is no table",
                    source_,
                    line,
                    kMostCellBytes),
        "give a CSV file with a header, or JSON lines");
  }

  std::string_view plain_cell() {
    const std::size_t begin = place_;
    const std::size_t end = std::min(text_.size(), begin + kMostCellBytes + 1);
    const char* const data = text_.data();
    while (place_ < end && data[place_] != ',' && !is_line_end(data[place_])) {
      ++place_;
    }
    if (place_ - begin > kMostCellBytes) {
      refuse_endless_cell(line_);
    }
    return trimmed(text_.substr(begin, place_ - begin));
  }

  std::string_view quoted_cell(std::size_t quote) {
    const uint64_t begin_line = line_;
    unquoted_.clear();
    place_ = quote + 1;
    while (true) {
      if (at_end()) {
        throw Error(ErrorCode::kInput,
                    fmt::format("{}, line {}: a quoted cell begins and does not end",
                                source_,
                                begin_line),
                    "close the quote, or write \"\" for a quote inside a cell");
      }
      const char character = text_[place_++];
      if (character == '"' && (at_end() || text_[place_] != '"')) {
        break;
      }
      place_ += character == '"' ? 1 : 0;
      line_ += character == '\n' ? 1 : 0;
      unquoted_.push_back(character);
      if (unquoted_.size() > kMostCellBytes) {
        refuse_endless_cell(begin_line);
      }
    }
    if (!plain_cell().empty()) {
      throw Error(
          ErrorCode::kInput,
          fmt::format(
              "{}, line {}: text follows a quoted cell before the comma", source_, line_),
          "write \"\" for a quote inside a cell");
    }
    return unquoted_;
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t place_ = 0;
  uint64_t line_ = 1;
  std::string unquoted_;
};

/// A table whose columns something else than a comma separates has one column.
void check_separator(const std::vector<std::string>& names, std::string_view source) {
  const std::size_t place =
      names.size() == 1 ? names[0].find_first_of(";\t|") : std::string::npos;
  if (place == std::string::npos) {
    return;
  }
  const char separator = names[0][place];
  throw Error(
      ErrorCode::kInput,
      fmt::format("{}: the header is one cell, with {} in it: no comma separates columns",
                  source,
                  separator == '\t' ? "tabs" : fmt::format("'{}'", separator)),
      "separate columns with commas, and write decimals with a point");
}

std::vector<std::string> read_header(CsvScanner& scanner, std::string_view source) {
  std::vector<std::string> names;
  for (bool is_last = false; !is_last;) {
    check_column_count(names.size() + 1, source);
    names.emplace_back(scanner.next_cell(is_last));
    const bool is_text = std::none_of(
        names.back().begin(), names.back().end(), [](unsigned char character) {
          return character < ' ' && character != '\t';
        });
    if (!is_text) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: the header holds control characters: this is no CSV "
                              "file",
                              source),
                  "give a CSV file with a header, or JSON lines, in UTF-8");
    }
    if (names.back().empty()) {
      names.back() = fmt::format("column {}", names.size());
    }
  }
  check_separator(names, source);
  return names;
}

/// One pass over the rows below the header. `lines`: filled where it is not null.
void read_rows(CsvScanner scanner,
               std::vector<ColumnBuilder>& columns,
               std::vector<uint64_t>* lines,
               std::string_view source) {
  for (scanner.skip_empty_lines(); !scanner.at_end(); scanner.skip_empty_lines()) {
    const Place place{source, scanner.line()};
    std::size_t count = 0;
    for (bool is_last = false; !is_last; ++count) {
      const std::string_view cell = scanner.next_cell(is_last);
      if (count < columns.size()) {
        columns[count].add(cell, place);
      }
    }
    if (count != columns.size()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}, line {}: the row has {} cells, the header {}",
                              source,
                              place.line,
                              count,
                              columns.size()),
                  "give every row as many cells as the header has; quote cells that hold "
                  "commas");
    }
    if (lines != nullptr) {
      lines->push_back(place.line);
    }
  }
}

bool reads_again(std::vector<ColumnBuilder>& columns) {
  bool is_needed = false;
  for (ColumnBuilder& column : columns) {
    is_needed = is_needed || column.must_be_read_again();
  }
  return is_needed;
}

}  // namespace

RunTableFile parse_csv(std::string_view text,
                       std::string_view source,
                       const ColumnNames& names) {
  CsvScanner scanner(text, source);
  scanner.skip_empty_lines();
  std::vector<ColumnBuilder> columns;
  for (std::string& name : mapped_names(read_header(scanner, source), names, source)) {
    columns.emplace_back(std::move(name));
  }
  RunTableFile file;
  read_rows(scanner, columns, &file.lines, source);
  if (reads_again(columns)) {
    // A column of numbers that turned out to hold texts: its cells as they were written.
    std::vector<ColumnBuilder> texts;
    for (ColumnBuilder& column : columns) {
      texts.emplace_back(column.name());
      texts.back().start_again(column.must_be_read_again()
                                   ? ColumnBuilder::Type::kText
                                   : ColumnBuilder::Type::kSkipped);
    }
    read_rows(scanner, texts, nullptr, source);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].must_be_read_again()) {
        columns[i] = std::move(texts[i]);
      }
    }
  }
  for (ColumnBuilder& column : columns) {
    column.finish(file.runs);
  }
  return file;
}

}  // namespace sizewise::tables

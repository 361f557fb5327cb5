#include "tables/run_table_file.hpp"

#include <cmath>
#include <new>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "tables/table_builder.hpp"
#include "tables/text_file.hpp"

namespace sizewise::tables {
namespace {

/// Whether a reader of CSV would change the cell: spaces around it do not count, nor a
/// byte-order mark where the file begins.
bool needs_quotes(std::string_view cell) {
  return cell.starts_with("\xEF\xBB\xBF") ||
         cell.find_first_of(",\"\r\n") != std::string_view::npos ||
         trimmed(cell).size() != cell.size();
}

void write_cell(std::string& out, std::string_view cell) {
  if (!needs_quotes(cell)) {
    out += cell;
    return;
  }
  out += '"';
  for (const char character : cell) {
    out += character;
    if (character == '"') {
      out += '"';
    }
  }
  out += '"';
}

}  // namespace

ColumnNames parse_column_names(std::string_view text) {
  ColumnNames names;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t equals = part.find('=');
    const bool is_pair =
        equals != std::string_view::npos && equals > 0 && equals + 1 < part.size();
    if (!is_pair ||
        !names.try_emplace(std::string(part.substr(0, equals)), part.substr(equals + 1))
             .second) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("--columns is '{}'; allowed: NAME=COLUMN, separated by "
                              "commas, each name once",
                              text),
                  "for example --columns params=N,tokens=D");
    }
    if (comma == std::string_view::npos) {
      return names;
    }
    rest.remove_prefix(comma + 1);
  }
}

RunTableFile parse_run_table(std::string_view text,
                             std::string_view source,
                             const ColumnNames& names) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: the table is empty", source),
                "give a CSV file with a header, or JSON lines");
  }
  if (text[first] == '[') {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: this is one JSON array", source),
                "write one JSON object a line (JSON lines), or CSV");
  }
  return text[first] == '{' ? parse_json_lines(text, source, names)
                            : parse_csv(text, source, names);
}

RunTableFile read_run_table(const std::filesystem::path& path, const ColumnNames& names) {
  try {
    const TextFile file(path);
    return parse_run_table(file.text(), path.string(), names);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kInput,
                fmt::format("the table '{}' does not fit into memory", path.string()),
                "keep only the columns and rows that the fit needs");
  }
}

std::string write_run_table(const RunTable& runs) {
  std::string out;
  const std::vector<std::string>& columns = runs.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += i > 0 ? "," : "";
    write_cell(out, columns[i]);
  }
  out += '\n';
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const std::size_t start = out.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      out += i > 0 ? "," : "";
      if (runs.has_texts(columns[i])) {
        write_cell(out, runs.texts(columns[i])[row]);
      } else if (const double number = runs.numbers(columns[i])[row];
                 !std::isnan(number)) {
        out += fmt::format("{}", number);
      }
    }
    if (out.find_first_not_of(" \t\r", start) == std::string::npos) {
      // A blank line is no row.
      out.insert(start, "\"").append("\"");
    }
    out += '\n';
  }
  return out;
}

}  // namespace sizewise::tables

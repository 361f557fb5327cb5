#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "tables/json_values.hpp"
#include "tables/table_builder.hpp"

namespace sizewise::tables {
namespace {

/// Takes the values of one object after the other as the parser meets them.
class RowReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  RowReader(std::string_view source, const ColumnNames& names) : source_(source) {
    for (const auto& [ours, theirs] : names) {
      ours_of_[theirs] = ours;
      shadowed_[ours] = true;
    }
  }

  void start_row(uint64_t line) { place_ = {source_, line}; }
  void end_row() {
    ++rows_;
    for (ColumnBuilder& column : columns_) {
      column.pad(rows_);
    }
  }

  RunTable finish() {
    RunTable table;
    for (ColumnBuilder& column : columns_) {
      column.finish(table);
    }
    return table;
  }
  [[nodiscard]] const std::unordered_map<std::string, std::size_t>& places() const {
    return place_of_;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] bool saw_object() const { return saw_object_; }
  void forget_object() { saw_object_ = false; }

  bool null() override { return true; }
  bool boolean(bool value) override { return number(value ? 1.0 : 0.0); }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return number(value);
  }
  bool string(string_t& value) override {
    if (ColumnBuilder* const column = column_of_value()) {
      column->add(value, place_);
      if (column->must_be_read_again()) {
        refuse_mixed(column->name());
      }
    }
    return true;
  }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override {
    saw_object_ = saw_object_ || depth_ == 0;
    ++depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      key_ = name;
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t /*position*/,
                   const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    fault_ = json_fault(error);
    return false;
  }

 private:
  bool number(double value) {
    if (ColumnBuilder* const column = column_of_value()) {
      if (column->type() == ColumnBuilder::Type::kText) {
        column->add(fmt::format("{}", value), place_);
      } else {
        column->add_number(value);
      }
    }
    return true;
  }

  /// The column that the value belongs to; null inside nested values.
  ColumnBuilder* column_of_value() {
    if (depth_ != 1) {
      return nullptr;
    }
    auto [found, is_new] = place_of_.try_emplace(key_, columns_.size());
    if (is_new) {
      check_column_count(place_of_.size(), place_.source);
      const auto mapped = ours_of_.find(key_);
      const bool is_shadowed =
          mapped == ours_of_.end() && shadowed_.find(key_) != shadowed_.end();
      columns_.emplace_back(mapped != ours_of_.end() ? mapped->second
                            : is_shadowed            ? std::string()
                                                     : key_);
      columns_.back().pad(rows_);
    }
    ColumnBuilder& column = columns_[found->second];
    if (column.type() != ColumnBuilder::Type::kSkipped && column.size() > rows_) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}, line {}: the object has two fields '{}'",
                              place_.source,
                              place_.line,
                              key_));
    }
    return &column;
  }

  [[noreturn]] void refuse_mixed(const std::string& name) const {
    throw Error(ErrorCode::kInput,
                fmt::format("{}, line {}: '{}' is a text here and a number above",
                            place_.source,
                            place_.line,
                            name),
                "write it as a text, or as a number, in every line");
  }

  std::string_view source_;
  Place place_;
  std::size_t rows_ = 0;
  int depth_ = 0;
  bool saw_object_ = false;
  std::string key_;
  std::string fault_;
  std::vector<ColumnBuilder> columns_;
  std::unordered_map<std::string, std::size_t> place_of_;
  std::unordered_map<std::string, std::string> ours_of_;
  std::unordered_map<std::string, bool> shadowed_;
};

void read_line(RowReader& reader,
               std::string_view text,
               std::string_view source,
               uint64_t line) {
  constexpr std::size_t kMostLineBytes = std::size_t{16} << 20U;
  if (text.size() > kMostLineBytes) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}, line {}: the line has more than {} bytes: this is no table",
                    source,
                    line,
                    kMostLineBytes),
        "write one object a line, such as {\"params\": 1e6, ...}");
  }
  reader.start_row(line);
  reader.forget_object();
  const bool is_good = nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  if (!is_good || !reader.saw_object()) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}, line {}: this is no JSON object{}{}",
                            source,
                            line,
                            reader.fault().empty() ? "" : ": ",
                            reader.fault()),
                "write one object a line, such as {\"params\": 1e6, ...}");
  }
  reader.end_row();
}

}  // namespace

RunTableFile parse_json_lines(std::string_view text,
                              std::string_view source,
                              const ColumnNames& names) {
  RunTableFile file;
  RowReader reader(source, names);
  uint64_t line = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view row = text.substr(0, end);
    ++line;
    if (row.find_first_not_of(" \t\r") != std::string_view::npos) {
      read_line(reader, row, source, line);
      file.lines.push_back(line);
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  for (const auto& [ours, theirs] : names) {
    if (reader.places().find(theirs) == reader.places().end()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: --columns {}={}: no line has a field '{}'",
                              source,
                              ours,
                              theirs,
                              theirs));
    }
  }
  file.runs = reader.finish();
  return file;
}

}  // namespace sizewise::tables

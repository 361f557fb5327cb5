#include "tables/table_builder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/options.hpp"

namespace sizewise::tables {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<std::string_view, 10> kNumberColumns = {"params",
                                                             "tokens",
                                                             "loss",
                                                             "flops",
                                                             "budget_flops",
                                                             "size",
                                                             "seed",
                                                             "seconds",
                                                             "epochs",
                                                             "flops_6nd"};
constexpr std::array<std::string_view, 3> kTextColumns = {"run_id", "trial", "status"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

ColumnBuilder::Type type_of(std::string_view name) {
  if (holds(kNumberColumns, name)) {
    return ColumnBuilder::Type::kNumber;
  }
  return holds(kTextColumns, name) ? ColumnBuilder::Type::kText
                                   : ColumnBuilder::Type::kUndecided;
}

/// A cell as a message shows it.
std::string shown(std::string_view cell) {
  constexpr std::size_t kMost = 40;
  return cell.size() <= kMost ? std::string(cell)
                              : std::string(cell.substr(0, kMost)) + "...";
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<double> number_of(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stopped != end) {
    return std::nullopt;
  }
  return value;
}

ColumnBuilder::ColumnBuilder(std::string name)
    : name_(std::move(name)), type_(name_.empty() ? Type::kSkipped : type_of(name_)) {}

void ColumnBuilder::start_again(Type type) {
  type_ = type;
  must_be_read_again_ = false;
  has_number_ = false;
  if (type != Type::kSkipped) {
    numbers_.clear();
    texts_.clear();
  }
}

void ColumnBuilder::become_text() {
  must_be_read_again_ = has_number_;
  type_ = has_number_ ? Type::kSkipped : Type::kText;
  texts_.assign(numbers_.size(), std::string());
  numbers_ = {};
}

void ColumnBuilder::add(std::string_view cell, const Place& place) {
  if (type_ == Type::kSkipped) {
    return;
  }
  if (type_ != Type::kText) {
    if (cell.empty()) {
      numbers_.push_back(kMissing);
      return;
    }
    if (const std::optional<double> number = number_of(cell)) {
      add_number(*number);
      return;
    }
    if (type_ == Type::kNumber) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}, line {}, column '{}': '{}' is not a number",
                              place.source,
                              place.line,
                              name_,
                              shown(cell)),
                  "correct the cell; a number that is not known is an empty cell");
    }
    become_text();
    if (type_ == Type::kSkipped) {
      return;
    }
  }
  texts_.emplace_back(cell);
}

void ColumnBuilder::add_number(double value) {
  numbers_.push_back(value);
  has_number_ = true;
}

void ColumnBuilder::pad(std::size_t rows) {
  if (type_ == Type::kText) {
    texts_.resize(std::max(rows, texts_.size()));
  } else if (type_ != Type::kSkipped) {
    numbers_.resize(std::max(rows, numbers_.size()), kMissing);
  }
}

std::size_t ColumnBuilder::size() const {
  return type_ == Type::kText ? texts_.size() : numbers_.size();
}

void ColumnBuilder::finish(RunTable& table) {
  if (name_.empty()) {
    return;
  }
  if (!texts_.empty() || type_ == Type::kText) {
    table.add_texts(name_, std::move(texts_));
  } else {
    table.add_numbers(name_, std::move(numbers_));
  }
}

void check_column_count(std::size_t count, std::string_view source) {
  constexpr std::size_t kMost = 4096;
  if (count > kMost) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: the table has more than {} columns", source, kMost),
                "give a table with params, tokens, loss and what else the fit needs, one "
                "row a run");
  }
}

std::vector<std::string> mapped_names(const std::vector<std::string>& file_names,
                                      const ColumnNames& names,
                                      std::string_view source) {
  for (std::size_t i = 0; i < file_names.size(); ++i) {
    const auto again = std::find(file_names.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 file_names.end(),
                                 file_names[i]);
    if (again != file_names.end()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: the columns {} and {} are both called '{}'",
                              source,
                              i + 1,
                              again - file_names.begin() + 1,
                              shown(file_names[i])),
                  "rename one of them");
    }
  }
  std::vector<std::string> mapped = file_names;
  for (const auto& [ours, theirs] : names) {
    if (!holds(file_names, theirs)) {
      const std::string near = nearest_word(theirs, file_names);
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: --columns {}={}: there is no column '{}'; the columns "
                              "are {}",
                              source,
                              ours,
                              theirs,
                              theirs,
                              fmt::join(file_names, ", ")),
                  near.empty() ? "name one of these with --columns"
                               : fmt::format("did you mean '{}'?", near));
    }
  }
  for (std::size_t i = 0; i < file_names.size(); ++i) {
    if (names.find(file_names[i]) != names.end()) {
      mapped[i].clear();
    }
    for (const auto& [ours, theirs] : names) {
      if (theirs == file_names[i]) {
        mapped[i] = ours;
      }
    }
  }
  return mapped;
}

}  // namespace sizewise::tables

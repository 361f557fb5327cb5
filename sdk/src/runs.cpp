#include "sizewise/runs.hpp"

#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"
#include "sizewise/options.hpp"

namespace sizewise {
namespace {

template <class Values>
Values pick(const Values& values, std::span<const std::size_t> rows) {
  Values picked;
  picked.reserve(rows.size());
  for (const std::size_t row : rows) {
    picked.push_back(values[row]);
  }
  return picked;
}

[[noreturn]] void refuse_missing(std::string_view name,
                                 const std::vector<std::string>& columns,
                                 std::string_view type) {
  const std::string near = nearest_word(name, columns);
  throw Error(ErrorCode::kInput,
              fmt::format("the table has no {} column '{}'; its columns are {}",
                          type,
                          name,
                          fmt::join(columns, ", ")),
              near.empty() || near == name
                  ? fmt::format("map another column to it with --columns {}=NAME", name)
                  : fmt::format("if '{0}' is meant: --columns {1}={0}", near, name));
}

}  // namespace

RunTable::RunTable() = default;
RunTable::RunTable(const RunTable&) = default;
RunTable::RunTable(RunTable&&) noexcept = default;
RunTable& RunTable::operator=(const RunTable&) = default;
RunTable& RunTable::operator=(RunTable&&) noexcept = default;
RunTable::~RunTable() = default;

void RunTable::check_new_column(std::string_view name, std::size_t length) const {
  if (has_numbers(name) || has_texts(name)) {
    throw Error(ErrorCode::kInput, fmt::format("the table has two columns '{}'", name));
  }
  if (!order_.empty() && length != rows_) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("column '{}' has {} rows, the table {}", name, length, rows_));
  }
}

void RunTable::add_numbers(std::string name, std::vector<double> values) {
  check_new_column(name, values.size());
  rows_ = values.size();
  order_.push_back(name);
  numbers_.emplace(std::move(name), std::move(values));
}

void RunTable::add_texts(std::string name, std::vector<std::string> values) {
  check_new_column(name, values.size());
  rows_ = values.size();
  order_.push_back(name);
  texts_.emplace(std::move(name), std::move(values));
}

bool RunTable::has_numbers(std::string_view name) const {
  return numbers_.find(name) != numbers_.end();
}

bool RunTable::has_texts(std::string_view name) const {
  return texts_.find(name) != texts_.end();
}

std::span<const double> RunTable::numbers(std::string_view name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) {
    refuse_missing(name, order_, "number");
  }
  return found->second;
}

std::span<const std::string> RunTable::texts(std::string_view name) const {
  const auto found = texts_.find(name);
  if (found == texts_.end()) {
    refuse_missing(name, order_, "text");
  }
  return found->second;
}

RunTable RunTable::select(std::span<const std::size_t> rows) const {
  for (const std::size_t row : rows) {
    if (row >= rows_) {
      throw Error(ErrorCode::kInput,
                  fmt::format("row {} was asked for; the table has {} rows", row, rows_));
    }
  }
  RunTable selected;
  for (const std::string& name : order_) {
    if (const auto found = numbers_.find(name); found != numbers_.end()) {
      selected.add_numbers(name, pick(found->second, rows));
    } else {
      selected.add_texts(name, pick(texts_.find(name)->second, rows));
    }
  }
  return selected;
}

}  // namespace sizewise

#include "tables/row_filter.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "tables/table_builder.hpp"

namespace sizewise::tables {
namespace {

using Comparison = RowFilter::Comparison;

// Longer signs first: "<=" is not "<" and a value of "=1".
constexpr std::array<std::pair<std::string_view, Comparison>, 6> kSigns = {
    {{"!=", Comparison::kNotEqual},
     {"<=", Comparison::kAtMost},
     {">=", Comparison::kAtLeast},
     {"=", Comparison::kEqual},
     {"<", Comparison::kLess},
     {">", Comparison::kMore}}};

std::string_view sign_of(Comparison comparison) {
  for (const auto& [sign, meaning] : kSigns) {
    if (meaning == comparison) {
      return sign;
    }
  }
  return "?";
}

bool holds(double left, Comparison comparison, double right) {
  switch (comparison) {
    case Comparison::kEqual:
      return left == right;
    case Comparison::kNotEqual:
      return left != right;
    case Comparison::kLess:
      return left < right;
    case Comparison::kAtMost:
      return left <= right;
    case Comparison::kMore:
      return left > right;
    case Comparison::kAtLeast:
      return left >= right;
  }
  return false;
}

std::vector<bool> kept_numbers(std::span<const double> values, const RowFilter& filter) {
  const std::optional<double> right = number_of(filter.value);
  if (!right) {
    throw Error(ErrorCode::kInput,
                fmt::format("--where '{}': column '{}' holds numbers, '{}' is none",
                            filter.text(),
                            filter.column,
                            filter.value));
  }
  std::vector<bool> kept;
  kept.reserve(values.size());
  for (const double value : values) {
    kept.push_back(holds(value, filter.comparison, *right));
  }
  return kept;
}

std::vector<bool> kept_texts(std::span<const std::string> values,
                             const RowFilter& filter) {
  const bool wants_equal = filter.comparison == Comparison::kEqual;
  if (!wants_equal && filter.comparison != Comparison::kNotEqual) {
    throw Error(ErrorCode::kInput,
                fmt::format("--where '{}': column '{}' holds texts; allowed: = and !=",
                            filter.text(),
                            filter.column));
  }
  std::vector<bool> kept;
  kept.reserve(values.size());
  for (const std::string& value : values) {
    kept.push_back((value == filter.value) == wants_equal);
  }
  return kept;
}

}  // namespace

std::string RowFilter::text() const {
  return fmt::format("{}{}{}", column, sign_of(comparison), value);
}

RowFilter parse_row_filter(std::string_view text) {
  const std::size_t place = text.find_first_of("=!<>");
  for (const auto& [sign, comparison] : kSigns) {
    if (place == std::string_view::npos || text.substr(place, sign.size()) != sign) {
      continue;
    }
    RowFilter filter{std::string(trimmed(text.substr(0, place))),
                     comparison,
                     std::string(trimmed(text.substr(place + sign.size())))};
    if (!filter.column.empty()) {
      return filter;
    }
    break;
  }
  throw Error(ErrorCode::kConfiguration,
              fmt::format("--where is '{}'; allowed: COLUMN OPERATOR VALUE with one of "
                          "=, !=, <, <=, >, >=",
                          text),
              "for example --where 'flops<1e21'");
}

std::vector<bool> rows_kept(const RunTable& runs, const RowFilter& filter) {
  return runs.has_texts(filter.column)
             ? kept_texts(runs.texts(filter.column), filter)
             : kept_numbers(runs.numbers(filter.column), filter);
}

}  // namespace sizewise::tables

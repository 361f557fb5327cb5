#include "fitting/row_selection.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/interval.hpp"

namespace sizewise::fitting {
namespace {

constexpr double kSameBudget = 1.1;

bool usable(double number) {
  return std::isfinite(number) && number > 0.0;
}

/// Why each row is left out: 0 where it is not, else a place in `names`. A number a row:
/// tables have millions.
struct Reasons {
  std::vector<uint32_t> of_row;
  std::vector<std::string> names = {""};

  void exclude(std::size_t row, const std::string& reason) {
    if (of_row[row] != 0) {
      return;
    }
    const auto known = std::find(names.begin() + 1, names.end(), reason);
    of_row[row] = static_cast<uint32_t>(known - names.begin());
    if (known == names.end()) {
      names.push_back(reason);
    }
  }
};

void exclude_by_status(const RunTable& runs, Reasons& reasons) {
  if (!runs.has_texts("status")) {
    return;
  }
  const auto statuses = runs.texts("status");
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    if (!statuses[row].empty() && statuses[row] != "done") {
      reasons.exclude(row, "status is " + statuses[row]);
    }
  }
}

void exclude_where(const std::vector<bool>& excluded,
                   const std::string& reason,
                   Reasons& reasons) {
  for (std::size_t row = 0; row < excluded.size(); ++row) {
    if (excluded[row]) {
      reasons.exclude(row, reason);
    }
  }
}

std::vector<bool> satisfying_all(const RunTable& runs,
                                 const std::vector<tables::RowFilter>& filters) {
  std::vector<bool> all(runs.rows(), true);
  for (const tables::RowFilter& filter : filters) {
    const std::vector<bool> kept = tables::rows_kept(runs, filter);
    for (std::size_t row = 0; row < all.size(); ++row) {
      all[row] = all[row] && kept[row];
    }
  }
  return all;
}

[[noreturn]] void refuse_empty(const RowCounts& counts, const FitRequest& request) {
  std::string why;
  for (const Exclusion& exclusion : counts.excluded) {
    why += fmt::format(
        "{}{} ({})", why.empty() ? ": " : ", ", exclusion.count, exclusion.reason);
  }
  const std::string source = request.source.empty() ? "the table" : request.source;
  throw Error(
      ErrorCode::kInput,
      counts.read == 0
          ? fmt::format("{}: there is a header and no row", source)
          : fmt::format("{}: none of {} rows can be used{}", source, counts.read, why),
      counts.read == 0 ? "give at least one row a run" : "change --where, or add runs");
}

}  // namespace

RowSelection sort_rows(const RunTable& runs, const FitRequest& request) {
  Reasons reasons{std::vector<uint32_t>(runs.rows(), 0)};
  exclude_by_status(runs, reasons);
  for (const tables::RowFilter& filter : request.filters) {
    std::vector<bool> excluded = tables::rows_kept(runs, filter);
    excluded.flip();
    exclude_where(excluded, "not " + filter.text(), reasons);
  }
  const std::string held = "held out: " + filters_text(request.hold_out);
  if (!request.hold_out.empty()) {
    exclude_where(satisfying_all(runs, request.hold_out), held, reasons);
  }
  RowSelection selection;
  std::map<std::string, std::size_t> excluded;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    if (reasons.of_row[row] == 0) {
      selection.used.push_back(row);
      continue;
    }
    const std::string& reason = reasons.names[reasons.of_row[row]];
    ++excluded[reason];
    if (reason == held) {
      selection.held_out.push_back(row);
    }
  }
  selection.counts.read = runs.rows();
  selection.counts.used = selection.used.size();
  for (const auto& [reason, count] : excluded) {
    selection.counts.excluded.push_back({reason, count});
  }
  return selection;
}

RowSelection select_rows(const RunTable& runs, const FitRequest& request) {
  RowSelection selection = sort_rows(runs, request);
  if (selection.used.empty()) {
    refuse_empty(selection.counts, request);
  }
  return selection;
}

std::string filters_text(const std::vector<tables::RowFilter>& filters) {
  std::string text;
  for (const tables::RowFilter& filter : filters) {
    text += (text.empty() ? "" : " and ") + filter.text();
  }
  return text;
}

uint64_t line_of(const FitRequest& request, std::size_t place) {
  return place < request.lines.size() ? request.lines[place] : place + 1;
}

std::string where_stands(const FitRequest& request, std::size_t place) {
  return place < request.lines.size()
             ? fmt::format("{}, line {}", request.source, request.lines[place])
             : fmt::format("row {}", place + 1);
}

void refuse_bad_value(const RunTable& used,
                      const std::vector<std::size_t>& places,
                      const FitRequest& request) {
  for (const std::string_view column : {"params", "tokens", "loss", "budget_flops"}) {
    if (!used.has_numbers(column)) {
      continue;
    }
    const bool may_be_absent = column == "budget_flops";
    const auto values = used.numbers(column);
    const auto bad = std::find_if(values.begin(), values.end(), [&](double value) {
      return !usable(value) && !(may_be_absent && std::isnan(value));
    });
    if (bad == values.end()) {
      continue;
    }
    const std::size_t place = places[static_cast<std::size_t>(bad - values.begin())];
    throw Error(ErrorCode::kInput,
                fmt::format("{}: column '{}' is {}; allowed: finite and above 0",
                            where_stands(request, place),
                            column,
                            std::isnan(*bad) ? "missing or not a number"
                                             : fmt::format("{}", *bad)),
                fmt::format("correct the row, give it a status other than done, or leave "
                            "it out with --where '{}>0'",
                            column));
  }
}

std::vector<double> flops_of_rows(const RunTable& runs) {
  std::vector<double> flops(runs.rows(), FitResult::kUnknown);
  if (runs.has_numbers("params") && runs.has_numbers("tokens")) {
    const auto params = runs.params();
    const auto tokens = runs.tokens();
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      const double product = 6.0 * params[row] * tokens[row];
      flops[row] = usable(product) ? product : FitResult::kUnknown;
    }
  }
  for (const char* column : {"flops", "budget_flops"}) {
    if (!runs.has_numbers(column)) {
      continue;
    }
    const auto values = runs.numbers(column);
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      flops[row] = usable(values[row]) ? values[row] : flops[row];
    }
  }
  return flops;
}

std::size_t count_budgets(const std::vector<double>& flops, std::size_t most) {
  std::size_t count = 0;
  for (double passed = -kUnbounded; count < most; ++count) {
    double least = kUnbounded;
    for (const double one : flops) {
      least = one > passed && one < least ? one : least;
    }
    if (std::isinf(least)) {
      break;
    }
    passed = kSameBudget * least;
  }
  return count;
}

double least_of_largest_budget(const std::vector<double>& flops, double rows) {
  double least = FitResult::kUnknown;
  double above = kUnbounded;
  for (double count = 0.0; count < rows;) {
    double largest = 0.0;
    for (const double one : flops) {
      largest = one < above && one > largest ? one : largest;
    }
    if (largest == 0.0) {
      break;
    }
    for (const double one : flops) {
      if (one < above && one > largest / kSameBudget) {
        count += 1.0;
        least = !(one >= least) ? one : least;
      }
    }
    above = least;
  }
  return least;
}

}  // namespace sizewise::fitting

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "fitting/bootstrap.hpp"
#include "fitting/fit_report.hpp"
#include "fitting/identifiability.hpp"
#include "loading/plugin_instance.hpp"

namespace sizewise::fitting {
namespace {

void check(const FitRequest& request) {
  const auto refuse = [](std::string_view what, auto value, std::string_view allowed) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("{} is {}; allowed: {}", what, value, allowed));
  };
  if (request.bootstrap < 0) {
    refuse("the number of bootstrap replicates", request.bootstrap, "0 and above");
  }
  if (!(request.level > 0.0 && request.level < 1.0)) {
    refuse("the level of the intervals", request.level, "between 0 and 1");
  }
  if (request.threads < 1) {
    refuse("the number of threads", request.threads, "1 and above");
  }
}

/// The rows that are used, as places in the table, and the count of the others.
std::vector<std::size_t> used_rows(const RunTable& runs,
                                   const FitRequest& request,
                                   RowCounts& counts) {
  std::vector<std::string> reasons(runs.rows());
  if (runs.has_texts("status")) {
    const auto statuses = runs.texts("status");
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      if (!statuses[row].empty() && statuses[row] != "done") {
        reasons[row] = "status is " + statuses[row];
      }
    }
  }
  for (const tables::RowFilter& filter : request.filters) {
    const std::vector<bool> kept = tables::rows_kept(runs, filter);
    for (std::size_t row = 0; row < runs.rows(); ++row) {
      if (!kept[row] && reasons[row].empty()) {
        reasons[row] = "not " + filter.text();
      }
    }
  }
  std::vector<std::size_t> used;
  std::map<std::string, std::size_t> excluded;
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    if (reasons[row].empty()) {
      used.push_back(row);
    } else {
      ++excluded[reasons[row]];
    }
  }
  counts.read = runs.rows();
  counts.used = used.size();
  for (const auto& [reason, count] : excluded) {
    counts.excluded.push_back({reason, count});
  }
  return used;
}

/// A plugin refused the rows: says where the value stands, if one of the columns that
/// every law needs holds it.
void refuse_bad_value(const RunTable& used,
                      const std::vector<std::size_t>& rows,
                      const FitRequest& request) {
  for (const char* column : {"params", "tokens", "loss"}) {
    if (!used.has_numbers(column)) {
      continue;
    }
    const auto values = used.numbers(column);
    const auto bad = std::find_if(values.begin(), values.end(), [](double value) {
      return !(std::isfinite(value) && value > 0.0);
    });
    if (bad == values.end()) {
      continue;
    }
    const std::size_t row = rows[static_cast<std::size_t>(bad - values.begin())];
    const std::string place =
        row < request.lines.size()
            ? fmt::format("{}, line {}", request.source, request.lines[row])
            : fmt::format("row {}", row + 1);
    throw Error(ErrorCode::kInput,
                fmt::format("{}: column '{}' is {}; allowed: finite and above 0",
                            place,
                            column,
                            std::isnan(*bad) ? "missing or not a number"
                                             : fmt::format("{}", *bad)),
                fmt::format("correct the row, give it a status other than done, or leave "
                            "it out with --where '{}>0'",
                            column));
  }
}

FitResult fit_rows(const RunTable& used,
                   const std::vector<std::size_t>& rows,
                   const FitRequest& request,
                   const Fit& fit) {
  try {
    return loading::call_plugin(request.fit.plugin, [&] {
      return fit.fit({used, {}, nullptr});
    });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInput) {
      refuse_bad_value(used, rows, request);
    }
    throw;
  }
}

Interval range_of(std::span<const double> values) {
  if (values.empty()) {
    return {};
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

void describe_data(const RunTable& used, FitReport& report) {
  if (!used.has_numbers("params") || !used.has_numbers("tokens") || used.empty()) {
    return;
  }
  report.params_seen = range_of(used.params());
  std::vector<double> ratios;
  report.largest_flops = 0.0;
  for (std::size_t row = 0; row < used.rows(); ++row) {
    ratios.push_back(used.tokens()[row] / used.params()[row]);
    const double flops =
        report.cost_model.flops_per_unit(Parameters(used.params()[row])) *
        used.tokens()[row];
    report.largest_flops = std::max(report.largest_flops, flops);
  }
  report.ratio_seen = range_of(ratios);
}

bool has_numbers(const Law& law) {
  return !law.values.empty() &&
         std::all_of(law.values.begin(), law.values.end(), [](const auto& entry) {
           return std::isfinite(entry.second);
         });
}

void name_optima(const FitRequest& request, FitReport& report) {
  if (!has_numbers(report.result.law)) {
    return;
  }
  for (const Flops budget : request.budgets) {
    Optimum optimum = optimum_of(report.result.law, report.cost_model, budget);
    optimum.extrapolation = budget.value() / report.largest_flops;
    report.optima.push_back(optimum);
  }
}

void add_bootstrap(const RunTable& used,
                   const FitRequest& request,
                   const Fit& fit,
                   FitReport& report) {
  if (request.bootstrap == 0 || !has_numbers(report.result.law)) {
    return;
  }
  Replicates replicates =
      bootstrap_fit(used, request, fit, report.result, report.cost_model);
  BootstrapReport bootstrap;
  bootstrap.replicates = request.bootstrap;
  bootstrap.failed = replicates.failed;
  bootstrap.not_identified = replicates.not_identified;
  bootstrap.unit = replicates.unit;
  bootstrap.level = request.level;
  for (auto& [name, values] : replicates.values) {
    bootstrap.standard_error[name] = standard_deviation(values);
    bootstrap.interval[name] = percentile_interval(values, request.level);
  }
  for (std::size_t i = 0; i < replicates.optimal_params.size(); ++i) {
    if (!replicates.optimal_params[i].empty()) {
      report.optima[i].params_interval =
          percentile_interval(replicates.optimal_params[i], request.level);
    }
  }
  report.bootstrap = std::move(bootstrap);
}

}  // namespace

FitReport fit_runs(const RunTable& runs,
                   const FitRequest& request,
                   const Fit& fit,
                   const CostModel& cost_model) {
  check(request);
  FitReport report;
  report.fit = request.fit;
  report.cost_model = cost_model;
  const std::vector<std::size_t> rows = used_rows(runs, request, report.rows);
  // A table of millions of rows is not copied where all of it is used.
  const RunTable selected = rows.size() == runs.rows() ? RunTable() : runs.select(rows);
  const RunTable& used = rows.size() == runs.rows() ? runs : selected;
  report.result = fit_rows(used, rows, request, fit);
  report.warnings = report.result.warnings;
  if (report.result.law.form != "power") {
    judge_rows(used, report.result);
  }
  describe_data(used, report);
  name_optima(request, report);
  add_bootstrap(used, request, fit, report);
  judge_bootstrap(report);
  if (!report.identified() && !request.force && !report.optima.empty()) {
    report.optima.clear();
    report.warnings.emplace_back(
        "the law is not identified: no best size is named from it");
  }
  warn_of_optima(report);
  return report;
}

}  // namespace sizewise::fitting

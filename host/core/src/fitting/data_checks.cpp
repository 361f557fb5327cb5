#include "fitting/data_checks.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "fitting/answers.hpp"
#include "fitting/sensitivity.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {
namespace {

constexpr double kMostFromSixNd = 0.02;   // of flops / (6 N D), from 1
constexpr double kMostCountChange = 1.1;  // of params / another count, over the rows
constexpr double kMostWarmup = 0.1;       // of the tokens
constexpr double kFarExtrapolation = 10.0;
constexpr double kSameTokens = 0.02;
constexpr double kFarSize = 1.5;  // of the best size for the largest budget

/// Row by row a quotient of two columns; NaN where one is not usable.
std::vector<double> quotients(std::span<const double> above,
                              std::span<const double> below) {
  std::vector<double> values;
  values.reserve(above.size());
  for (std::size_t row = 0; row < above.size(); ++row) {
    const double quotient = above[row] / below[row];
    values.push_back(std::isfinite(quotient) && quotient > 0.0 ? quotient
                                                               : FitResult::kUnknown);
  }
  return values;
}

void warn_of_counts(const RunTable& runs, FitReport& report) {
  for (const std::string& column : other_counts_of_params(runs)) {
    const Interval share = range_of(quotients(runs.numbers(column), runs.params()));
    if (share.high > kMostCountChange * share.low) {
      report.warnings.push_back(fmt::format(
          "'{}' is {:.3g} to {:.3g} of params: exponents depend on which of them N "
          "means (--sensitivity fits both)",
          column,
          share.low,
          share.high));
    }
  }
}

void warn_of_flops(const RunTable& runs, FitReport& report) {
  if (!runs.has_numbers("flops")) {
    return;
  }
  const auto flops = runs.numbers("flops");
  const auto absent = std::count_if(flops.begin(), flops.end(), [](double number) {
    return std::isnan(number);
  });
  if (absent > 0 && report.cost_model.is_counted()) {
    report.warnings.push_back(fmt::format(
        "{} of {} rows have no flops: what their size costs follows from the others",
        absent,
        runs.rows()));
  }
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  std::vector<double> six_nd(runs.rows());
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    six_nd[row] = 6.0 * params[row] * tokens[row];
  }
  const Interval ratio = range_of(quotients(runs.numbers("flops"), six_nd));
  if (ratio.low < 1.0 - kMostFromSixNd || ratio.high > 1.0 + kMostFromSixNd) {
    report.warnings.push_back(fmt::format(
        "the FLOPs are {:.4g} to {:.4g} times 6 params tokens: exponents in C depend on "
        "which of them C means (--sensitivity fits both)",
        ratio.low,
        ratio.high));
  }
}

/// How many different texts a column holds, at most `most`.
std::size_t count_texts(const RunTable& runs, const char* column, std::size_t most) {
  if (!runs.has_texts(column)) {
    return 0;
  }
  std::set<std::string_view> distinct;
  for (const std::string& text : runs.texts(column)) {
    distinct.insert(text);
    if (distinct.size() >= most) {
      break;
    }
  }
  return distinct.size();
}

void warn_of_groups(const RunTable& runs, FitReport& report) {
  constexpr std::size_t kMost = 1000;
  if (const std::size_t count = count_texts(runs, "experiment", kMost); count > 1) {
    report.warnings.push_back(fmt::format(
        "the rows are of {} experiments, taken as one: --where experiment=NAME fits one",
        count));
  }
  const std::size_t names = count_texts(runs, "run_name", runs.rows());
  if (names > 0 && names < runs.rows() && !runs.has_texts("run_id") &&
      !runs.has_numbers("run_id")) {
    report.warnings.emplace_back(
        "run_name repeats, and rows of one run share its luck: --columns "
        "run_id=run_name draws whole runs for the intervals");
  }
}

/// Rows of one run share its luck, which few runs do not show.
void warn_of_few_runs(const RunTable& runs, FitReport& report) {
  constexpr std::size_t kFew = 10;
  if (!runs.has_texts("run_id")) {
    return;
  }
  // A row without a run_id is a run of its own.
  const auto ids = runs.texts("run_id");
  const std::set<std::string> named(ids.begin(), ids.end());
  const auto alone =
      static_cast<std::size_t>(std::count(ids.begin(), ids.end(), std::string()));
  const std::size_t count = named.size() - named.count("") + alone;
  if (count == 0 || count >= kFew || count == runs.rows()) {
    return;
  }
  report.warnings.push_back(
      count == 1
          ? "all rows are of one run and share its luck: intervals that take them as "
            "independent are too narrow; train more models"
          : fmt::format("the rows are of {} runs: resamples of so few understate how far "
                        "the law may be off; train {} or more",
                        count,
                        kFew));
}

void warn_of_warmup(const RunTable& runs, FitReport& report) {
  if (!runs.has_numbers("warmup_tokens")) {
    return;
  }
  const std::vector<double> shares =
      quotients(runs.numbers("warmup_tokens"), runs.tokens());
  const auto count = std::count_if(shares.begin(), shares.end(), [](double share) {
    return share > kMostWarmup;
  });
  if (count > 0) {
    report.warnings.push_back(
        fmt::format("{} rows have a warm-up of more than {:.0f} % of their tokens, up to "
                    "{:.0f} %: short runs look worse than they are, which raises a",
                    count,
                    100.0 * kMostWarmup,
                    100.0 * range_of(shares).high));
  }
}

std::string asked_text(const Optimum& optimum) {
  switch (optimum.question.kind) {
    case Question::Kind::kBudget:
      return fmt::format("the budget {:.6g}", optimum.question.value);
    case Question::Kind::kTargetLoss:
      return fmt::format("a loss of {:.6g}", optimum.question.value);
    case Question::Kind::kParams:
      return fmt::format("{:.6g} parameters", optimum.question.value);
    case Question::Kind::kTokens:
      return fmt::format("{:.6g} units of data", optimum.question.value);
  }
  return "";
}

void warn_of_allocation(FitReport& report, const Optimum& optimum) {
  const Law& law = report.result.law;
  if (law.form != "allocation") {
    return;
  }
  const double budget = optimum.budget.value();
  const double asked =
      law.value("tokens.coefficient") * std::pow(budget, law.value("tokens.exponent"));
  if (!(std::fabs(asked / optimum.tokens.value() - 1.0) <= kSameTokens)) {
    report.warnings.push_back(
        fmt::format("for {} the power law of tokens asks for {:.5g}; the budget pays "
                    "for {:.5g} at the best size, which is what is given",
                    asked_text(optimum),
                    asked,
                    optimum.tokens.value()));
  }
}

std::string why_no_budget(const Law& law, const Question& question) {
  const auto floor = law.values.find("E");
  if (floor == law.values.end()) {
    return "the law does not go so far";
  }
  return question.value > floor->second
             ? "none does with the params, tokens or different tokens that are given"
             : fmt::format("the law's loss stays above E, {:.5g}", floor->second);
}

void warn_of_optimum(FitReport& report, const Optimum& optimum) {
  const std::string asked = asked_text(optimum);
  if (!std::isfinite(optimum.budget.value()) || !std::isfinite(optimum.params.value())) {
    report.warnings.push_back(
        std::isinf(optimum.budget.value())
            ? fmt::format("no budget reaches {}: {}",
                          asked,
                          why_no_budget(report.result.law, optimum.question))
            : fmt::format("the law names no best size for {}", asked));
    return;
  }
  if (optimum.params.value() < 1.0 || optimum.tokens.value() < 1.0) {
    report.warnings.push_back(fmt::format(
        "the answer for {} is less than one parameter or one unit of data: the law does "
        "not reach so far down",
        asked));
  }
  if (optimum.extrapolation > kFarExtrapolation * 1.0001) {
    report.warnings.push_back(
        fmt::format("{} needs {:.3g} times the largest budget in the table: far beyond "
                    "the data",
                    asked,
                    optimum.extrapolation));
  }
  const double ratio = optimum.tokens.value() / optimum.params.value();
  if (ratio < report.ratio_seen.low || ratio > report.ratio_seen.high) {
    report.warnings.push_back(fmt::format(
        "the answer for {} has {:.4g} units per parameter; the rows have {:.4g} to "
        "{:.4g}",
        asked,
        ratio,
        report.ratio_seen.low,
        report.ratio_seen.high));
  }
  warn_of_allocation(report, optimum);
}

}  // namespace

void describe_data(const RunTable& runs, FitReport& report) {
  if (!runs.has_numbers("params") || !runs.has_numbers("tokens")) {
    return;
  }
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  report.params_seen = range_of(params);
  report.ratio_seen = range_of(quotients(tokens, params));
  const Interval budgets = budgets_of(runs, report.cost_model);
  report.largest_flops = budgets.high;
  const Law& law = report.result.law;
  if (report.cost_model.is_counted() && law.form != "allocation") {
    report.counted_growth = growth_of_params(law, report.cost_model, budgets);
  }
}

void warn_of_data(const RunTable& runs, FitReport& report) {
  if (!runs.has_numbers("params") || !runs.has_numbers("tokens")) {
    return;
  }
  warn_of_groups(runs, report);
  warn_of_few_runs(runs, report);
  warn_of_counts(runs, report);
  warn_of_flops(runs, report);
  warn_of_warmup(runs, report);
}

void warn_of_optima(FitReport& report) {
  if (!report.cost_model.is_counted()) {
    report.warnings.emplace_back(
        "the FLOPs are not counted: a budget is taken as 6 * params * tokens");
  }
  for (const Optimum& optimum : report.optima) {
    warn_of_optimum(report, optimum);
  }
}

void warn_of_hold_out(FitReport& report) {
  if (!report.hold_out) {
    return;
  }
  const double factor =
      report.hold_out->params.value() / report.hold_out->params_of_all.value();
  if (factor > kFarSize || factor < 1.0 / kFarSize) {
    report.warnings.push_back(fmt::format(
        "without the largest budget the best size for it is {:.3g} times what it is "
        "with it: do not trust the law far beyond the data",
        factor));
  }
}

}  // namespace sizewise::fitting

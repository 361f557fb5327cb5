#include "fitting/sensitivity.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "fitting/answers.hpp"
#include "fitting/table_edit.hpp"

namespace sizewise::fitting {
namespace {

SensitivityRow refit(const FitJob& job,
                     const RunTable& runs,
                     const CostModel& cost_model,
                     std::string reading) {
  SensitivityRow row;
  row.reading = std::move(reading);
  const FitJob other{runs, job.places, job.request, job.fit, cost_model};
  const std::optional<FitResult> result = other.try_run({runs, {}, nullptr});
  if (!result) {
    return row;
  }
  row.identified = result->status == FitStatus::kIdentified;
  row.a = result->a;
  row.b = result->b;
  row.growth = growth_of_params(result->law, cost_model, budgets_of(runs, cost_model));
  for (const Question& question : job.request.asked.questions) {
    row.optima.push_back(
        can_answer(result->law, question.kind)
            ? answer(question, result->law, cost_model, job.request.asked.limits)
            : Training{});
  }
  return row;
}

RunTable with_six_nd(const RunTable& runs) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  std::vector<double> flops(runs.rows());
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    flops[row] = 6.0 * params[row] * tokens[row];
  }
  return with_numbers(runs, "flops", std::move(flops));
}

}  // namespace

std::vector<std::string> other_counts_of_params(const RunTable& runs) {
  std::vector<std::string> columns;
  for (const std::string& name : runs.columns()) {
    if (name.rfind("params_", 0) == 0 && runs.has_numbers(name)) {
      columns.push_back(name);
    }
  }
  return columns;
}

std::vector<SensitivityRow> sensitivity_of(const FitJob& job) {
  std::vector<SensitivityRow> rows;
  if (!job.used.has_numbers("params") || !job.used.has_numbers("tokens")) {
    return rows;
  }
  for (const std::string& column : other_counts_of_params(job.used)) {
    const auto counts = job.used.numbers(column);
    const RunTable runs =
        with_numbers(job.used, "params", {counts.begin(), counts.end()});
    const CostModel cost_model = job.cost_model.is_counted()
                                     ? cost_model_of(runs)
                                     : CostModel::six_per_parameter();
    rows.push_back(refit(job, runs, cost_model, "params = " + column));
  }
  if (job.used.has_numbers("flops")) {
    const bool is_counted = job.cost_model.is_counted();
    const RunTable runs = is_counted ? with_six_nd(job.used) : job.used;
    const CostModel cost_model =
        is_counted ? CostModel::six_per_parameter() : cost_model_of(runs);
    rows.push_back(refit(
        job, runs, cost_model, is_counted ? "flops = 6 params tokens" : "flops counted"));
  }
  return rows;
}

}  // namespace sizewise::fitting

#include "fitting/answers.hpp"

#include <cmath>

#include <fmt/format.h>

#include "fitting/standard_errors.hpp"
#include "fitting/statistics.hpp"

namespace sizewise::fitting {

void answer_questions(const Asked& asked, double level, FitReport& report) {
  const Law& law = report.result.law;
  if (asked.limits.unique_tokens && law.form == "chinchilla") {
    report.warnings.emplace_back(
        "this law counts repeated data as worth nothing, so it names the largest size "
        "that the different data can feed: --fit data_constrained fits what repeats are "
        "worth");
  }
  for (const Question& question : asked.questions) {
    if (!can_answer(law, question.kind)) {
      report.warnings.push_back(
          fmt::format("a law of form '{}' has no answer for a {}: fit approach3",
                      law.form,
                      name_of(question.kind)));
      continue;
    }
    Optimum optimum;
    static_cast<Training&>(optimum) =
        answer(question, law, report.cost_model, asked.limits);
    optimum.question = question;
    optimum.extrapolation = optimum.budget.value() / report.largest_flops;
    optimum.is_size_given =
        asked.limits.params ||
        (asked.limits.tokens && question.kind == Question::Kind::kBudget);
    if (asked.served && std::isfinite(optimum.loss.value())) {
      optimum.serving = least_for_serving(
          law, report.cost_model, optimum.loss, *asked.served, asked.limits);
      optimum.serving_extrapolation =
          optimum.serving->training.budget.value() / report.largest_flops;
    }
    report.optima.push_back(optimum);
  }
  give_hessian_intervals(report.result, report.cost_model, asked, level, report.optima);
}

Interval budgets_of(const RunTable& runs, const CostModel& cost_model) {
  const auto params = runs.params();
  const auto tokens = runs.tokens();
  std::vector<double> flops(runs.rows(), FitResult::kUnknown);
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    const double cost = cost_model.flops_per_unit(Parameters(params[row])) * tokens[row];
    flops[row] = std::isfinite(cost) ? cost : FitResult::kUnknown;
  }
  return range_of(flops);
}

double growth_of_params(const Law& law,
                        const CostModel& cost_model,
                        const Interval& budgets) {
  if (!can_answer(law, Question::Kind::kBudget) || !(budgets.low < budgets.high)) {
    return FitResult::kUnknown;
  }
  const double low = best_for_budget(law, cost_model, Flops(budgets.low)).params.value();
  const double high =
      best_for_budget(law, cost_model, Flops(budgets.high)).params.value();
  return std::log(high / low) / std::log(budgets.high / budgets.low);
}

}  // namespace sizewise::fitting

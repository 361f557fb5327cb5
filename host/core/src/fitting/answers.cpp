#include "fitting/answers.hpp"

#include <cmath>

#include <fmt/format.h>

#include "fitting/standard_errors.hpp"

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
    if (asked.served && std::isfinite(optimum.loss.value())) {
      optimum.serving = least_for_serving(
          law, report.cost_model, optimum.loss, *asked.served, asked.limits);
    }
    report.optima.push_back(optimum);
  }
  give_delta_intervals(
      report.result, report.cost_model, asked.limits, level, report.optima);
}

}  // namespace sizewise::fitting

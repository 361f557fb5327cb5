#include "fitting/question.hpp"

#include <cmath>

namespace sizewise::fitting {

std::string_view name_of(Question::Kind kind) {
  switch (kind) {
    case Question::Kind::kBudget:
      return "budget";
    case Question::Kind::kTargetLoss:
      return "target_loss";
    case Question::Kind::kParams:
      return "params";
    case Question::Kind::kTokens:
      return "tokens";
  }
  return "";
}

std::vector<Question> budget_questions(const std::vector<Flops>& budgets) {
  std::vector<Question> questions;
  questions.reserve(budgets.size());
  for (const Flops budget : budgets) {
    questions.push_back({Question::Kind::kBudget, budget.value()});
  }
  return questions;
}

Training answer(const Question& question,
                const Law& law,
                const CostModel& cost_model,
                const Limits& limits) {
  switch (question.kind) {
    case Question::Kind::kBudget:
      return best_for_budget(law, cost_model, Flops(question.value), limits);
    case Question::Kind::kTargetLoss:
      return least_for_loss(law, cost_model, Nats(question.value), limits);
    case Question::Kind::kParams:
      return best_for_params(law, cost_model, Parameters(question.value), limits);
    case Question::Kind::kTokens:
      return best_for_tokens(law, cost_model, Units(question.value), limits);
  }
  return {};
}

Serving serving_of(const Question& question,
                   const Law& law,
                   const CostModel& cost_model,
                   const Asked& asked) {
  const Nats loss = answer(question, law, cost_model, asked.limits).loss;
  return std::isfinite(loss.value()) && asked.served
             ? least_for_serving(law, cost_model, loss, *asked.served, asked.limits)
             : Serving{};
}

bool can_answer(const Law& law, Question::Kind kind) {
  if (law.form == "allocation") {
    return kind != Question::Kind::kTargetLoss;
  }
  return law.form == "data_constrained" ||
         !std::isnan(predicted_loss(law, Parameters(1e9), Units(1e10)).value());
}

}  // namespace sizewise::fitting

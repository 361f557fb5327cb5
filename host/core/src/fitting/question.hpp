#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sizewise/optimum.hpp"

namespace sizewise::fitting {

/// One thing that is asked of a law.
struct Question {
  enum class Kind {
    kBudget,      ///< the best use of `value` FLOPs
    kTargetLoss,  ///< the least budget that reaches a loss of `value`
    kParams,      ///< the budget of which a model of `value` parameters is the best use
    kTokens,      ///< the budget whose best use trains on `value` units
  };
  Kind kind = Kind::kBudget;
  double value = 0.0;
};

/// All that is asked of a law.
struct Asked {
  std::vector<Question> questions;
  Limits limits;                ///< of all answers
  std::optional<Units> served;  ///< what the model serves in its life, beside training
};

/// "budget", "target_loss", "params" or "tokens": how JSON calls it.
[[nodiscard]] std::string_view name_of(Question::Kind kind);

/// The best use of each of some budgets.
[[nodiscard]] std::vector<Question> budget_questions(const std::vector<Flops>& budgets);

/// The law's answer. @throws Error as the functions of sizewise/optimum.hpp do
[[nodiscard]] Training answer(const Question& question,
                              const Law& law,
                              const CostModel& cost_model,
                              const Limits& limits);

/// The model of the answer's loss whose training and serving together cost least.
/// @param asked with `served`
[[nodiscard]] Serving serving_of(const Question& question,
                                 const Law& law,
                                 const CostModel& cost_model,
                                 const Asked& asked);

/// Whether a law of that form has answers at all.
[[nodiscard]] bool can_answer(const Law& law, Question::Kind kind);

}  // namespace sizewise::fitting

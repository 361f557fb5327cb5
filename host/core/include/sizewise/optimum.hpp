#pragma once

#include <limits>
#include <optional>

#include "sizewise/cost_model.hpp"
#include "sizewise/fit.hpp"
#include "sizewise/units.hpp"

// What a fitted law says about how to spend FLOPs. Every function is deterministic and
// silent. [any thread]

namespace sizewise {

/// A model and its training. NaN where the law says nothing; a budget is infinite where
/// no budget is enough.
struct Training {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  Flops budget{kUnknown};       ///< training FLOPs: c(params) * tokens
  Parameters params{kUnknown};  ///< below 1 where the law does not reach down so far
  Units tokens{kUnknown};       ///< trained on, repeats counted
  Nats loss{kUnknown};          ///< that the law predicts
};

/// What a choice may not be free in.
struct Limits {
  std::optional<Parameters> params = {};  ///< the model has this size
  std::optional<Units> tokens = {};       ///< it is trained on this many units
  /// There are no more different units; others are repeats. What repeats are worth a law
  /// of form data_constrained says; under any other they are worth nothing.
  std::optional<Units> unique_tokens = {};
};

/// Loss of (params, tokens) where only so many of the units differ: both counts are
/// replaced by their effective ones. Source: Muennighoff et al. 2023 (arXiv 2305.16264),
/// equations 4 to 6.
/// @throws Error kFit where the law predicts no loss
[[nodiscard]] Nats loss_with_repeats(const Law& law,
                                     Parameters params,
                                     Units tokens,
                                     Units unique_tokens);

/// The best use of a training budget: minimises L(N, C / c(N)) over N, or takes N from
/// the allocation law; D is C / c(N) in every case, so that (N, D) costs the budget.
/// @throws Error kFit where the law's form names no optimum (power); kConfiguration where
/// a number is not finite and above 0, or both params and tokens are given
[[nodiscard]] Training best_for_budget(const Law& law,
                                       const CostModel& cost_model,
                                       Flops budget,
                                       const Limits& limits = {});

/// The smallest budget that reaches a loss, and how to spend it. Its budget is infinite
/// where the law's irreducible loss is not below it.
/// @throws Error as best_for_budget(), and kFit where the law predicts no loss
[[nodiscard]] Training least_for_loss(const Law& law,
                                      const CostModel& cost_model,
                                      Nats loss,
                                      const Limits& limits = {});

/// The budget of which a model of this size is the best use.
/// @throws Error as best_for_budget()
[[nodiscard]] Training best_for_params(const Law& law,
                                       const CostModel& cost_model,
                                       Parameters params,
                                       const Limits& limits = {});

/// The budget whose best use trains on this much data.
/// @throws Error as best_for_budget()
[[nodiscard]] Training best_for_tokens(const Law& law,
                                       const CostModel& cost_model,
                                       Units tokens,
                                       const Limits& limits = {});

/// A model that is trained and then serves.
struct Serving {
  Units served;              ///< units that it reads or writes in its life
  Training training;         ///< of the model whose training and serving cost least
  Flops serving_flops;       ///< of that model
  Flops total_flops;         ///< training and serving
  Training trained_best;     ///< the same loss at least training cost
  Flops trained_best_total;  ///< with serving
};

/// The model of some loss whose training and serving together cost least. Serving one
/// unit costs a third of training on it (the forward pass; 2 N under 6 N). Source:
/// Sardana et al. 2023 (arXiv 2401.00448), equation 3.
/// @param served units, at least 0
/// @throws Error as least_for_loss()
[[nodiscard]] Serving least_for_serving(const Law& law,
                                        const CostModel& cost_model,
                                        Nats loss,
                                        Units served,
                                        const Limits& limits = {});

}  // namespace sizewise

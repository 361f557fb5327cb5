#pragma once

#include <optional>
#include <string>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// By how much the IsoFLOP approach misses the optimum of a law on noise-free losses of
/// that law: parabolas are not its shape. Source: arXiv 2603.22339.
struct IsoflopBias {
  double budget = FitResult::kUnknown;
  double exponent = FitResult::kUnknown;       ///< a that the parabolas give
  double true_exponent = FitResult::kUnknown;  ///< of the law's own optimum
  double params = FitResult::kUnknown;         ///< N* / true N* - 1, at the budget
  double tokens = FitResult::kUnknown;
};

/// The bias of a law of form "chinchilla" on the sizes and budgets of a table, every row
/// of which has a budget. What training costs is taken as a power of N and D, from its
/// rows.
[[nodiscard]] IsoflopBias isoflop_bias(const RunTable& runs,
                                       const Law& law,
                                       double budget);

/// In words, the bias that the parametric law fitted to the same rows implies for ten
/// times their largest budget; nothing where that fit is not identified.
[[nodiscard]] std::optional<std::string> describe_isoflop_bias(const FitInput& input);

}  // namespace sizewise::fits

#pragma once

#include <string_view>
#include <vector>

#include "sizewise/cost_model.hpp"
#include "sizewise/fit.hpp"

namespace sizewise {

/// A law with what its questions need (sizewise/optimum.hpp).
///
/// ```cpp
/// const FittedLaw fitted = fitted_law_from_json(outcome.fit_json);
/// const Training best = best_for_budget(fitted.law, fitted.cost_model, Flops(1e20));
/// ```
struct FittedLaw {
  Law law;
  CostModel cost_model = CostModel::six_per_parameter();
  bool identified = false;      ///< whether the rows determine the law
  std::vector<Reason> reasons;  ///< why not
  Flops largest_flops;          ///< of the rows; a budget beyond it extrapolates
};

/// Reads what `sizewise fit --json` prints, law.json holds, and Outcome::fit_json is.
/// @throws Error kInput naming the field that is missing or wrong
[[nodiscard]] FittedLaw fitted_law_from_json(std::string_view json);

}  // namespace sizewise

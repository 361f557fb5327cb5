#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "fitting/fit_report.hpp"

namespace sizewise::fitting {

/// One fit and what its steps share. Borrows all of it.
struct FitJob {
  const RunTable& used;                    ///< the rows that are fitted
  const std::vector<std::size_t>& places;  ///< of them, in the file's table
  const FitRequest& request;
  const Fit& fit;
  const CostModel& cost_model;

  /// Calls the plugin. @throws Error naming it
  [[nodiscard]] FitResult run(const FitInput& input) const;

  /// Another fit of the same kind, such as of a resample; nothing where its rows give no
  /// law.
  [[nodiscard]] std::optional<FitResult> try_run(FitInput input) const;
};

/// Whether every value of the law is a number.
[[nodiscard]] bool has_law(const FitResult& result);

/// Whether every value of the law is finite.
[[nodiscard]] bool has_finite_law(const FitResult& result);

}  // namespace sizewise::fitting

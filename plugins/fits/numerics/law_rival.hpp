#pragma once

#include <functional>
#include <string>

#include "sizewise/fit.hpp"

#include "law_rows.hpp"

namespace sizewise::fits {

/// What another law, fitted to the same rows, says of a law.
struct LawRival {
  std::string name;
  /// 2 (objective - the rival's) / dispersion of the rival's residuals.
  double ratio = FitResult::kUnknown;
  /// ln of N* of the largest budget under the rival, less that under the law.
  double log_shift = FitResult::kUnknown;
  std::string remedy;  ///< what to do where it moves too far
};

/// What a likelihood ratio of one degree of freedom stays below in 95 of 100 cases.
[[nodiscard]] double usual_ratio();

/// A mean squared residual below this is rounding: a ratio would say nothing.
inline constexpr double kExactFit = 1e-24;

/// ln N* of the rows' largest 6 N D, among sizes up to ten times outside those of the
/// rows.
/// @param loss_at the loss predicted where ln N and ln D stand at x and y on the axes
[[nodiscard]] double best_log_size(
    const LawRows& rows, const std::function<double(double x, double y)>& loss_at);

/// Where the rival fits better than chance (95 % of the likelihood ratio), the result
/// warns of how far N* moves; beyond a factor of 3 the law is not identified.
void judge_rival(const LawRival& rival, FitResult& result);

}  // namespace sizewise::fits

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sizewise/fit.hpp"

#include "power_law.hpp"

namespace sizewise::fits {

/// The corners of the lower convex hull of loss against FLOPs, both in logarithms, from
/// the fewest FLOPs to the least loss: places of rows, ascending by FLOPs.
[[nodiscard]] std::vector<std::size_t> envelope_rows(std::span<const double> flops,
                                                     std::span<const double> loss);

/// The checkpoints that an envelope is drawn under, column by column.
struct Checkpoints {
  std::vector<double> params;
  std::vector<double> tokens;
  std::vector<double> loss;
  std::vector<double> flops;
};

/// The hull, and power laws in C through its corners.
struct Envelope {
  std::vector<std::size_t> corners;
  PowerLaw params;
  PowerLaw tokens;
  double squares = FitResult::kUnknown;         ///< of the residuals of ln N
  double standard_error = FitResult::kUnknown;  ///< of the exponent of params
};
[[nodiscard]] Envelope envelope_of(const Checkpoints& checkpoints);

/// Power laws of params and tokens over the checkpoints on that hull. FLOPs are the
/// column `flops`, else 6 N D. `objective` is the sum of squared residuals of ln N. A
/// warning tells the corners and the method's own bias (see describe_envelope()).
/// Source: Hoffmann et al. 2022 (arXiv 2203.15556), section 3.1; the hull in place of
/// bins: Gemstones (arXiv 2502.06857), section 3.
/// @throws Error kInput where a column is missing or a row that counts holds a value not
/// finite and above 0
[[nodiscard]] FitResult fit_envelope(const FitInput& input);

}  // namespace sizewise::fits

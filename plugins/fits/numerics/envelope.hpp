#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// The corners of the lower convex hull of loss against FLOPs, both in logarithms, from
/// the fewest FLOPs to the least loss: places of rows, ascending by FLOPs.
[[nodiscard]] std::vector<std::size_t> envelope_rows(std::span<const double> flops,
                                                     std::span<const double> loss);

/// Power laws of params and tokens over the checkpoints on that hull. FLOPs are the
/// column `flops`, else 6 N D. `objective` is the sum of squared residuals of ln N.
/// Source: Hoffmann et al. 2022 (arXiv 2203.15556), section 3.1; the hull in place of
/// bins: Gemstones (arXiv 2502.06857), section 3.
/// @throws Error kInput where a column is missing or a row that counts holds a value not
/// finite and above 0
[[nodiscard]] FitResult fit_envelope(const FitInput& input);

}  // namespace sizewise::fits

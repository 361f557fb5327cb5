#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sizewise/fit.hpp"

namespace sizewise::fits {

/// Where a logarithm is 0, and by what it was divided: u = (ln value - origin) / scale.
struct Axis {
  double origin = 0.0;
  double scale = 1.0;
};

/// The rows of a table as a law sees them, so that nothing depends on the units of N, D
/// or L: logarithms of N and D from 0 at the smallest to 1 at the largest.
struct LawRows {
  std::vector<double> x;  ///< ln N
  std::vector<double> y;  ///< ln D
  std::vector<double> z;  ///< ln L, from the middle of its range, not scaled
  std::vector<double> weight;
  Axis params;
  Axis tokens;
  Axis loss;
  double total_weight = 0.0;

  [[nodiscard]] std::size_t size() const { return x.size(); }
};

/// The rows that count, as a law sees them.
/// @throws Error kInput where params, tokens or loss is missing, no row counts, a row
/// that counts holds a value in them that is not finite and above 0, or a weight is
/// negative
[[nodiscard]] LawRows law_rows(const FitInput& input);

/// The rows at some places. The axes stay.
[[nodiscard]] LawRows rows_at(const LawRows& rows, std::span<const std::size_t> places);

/// At most `most` of the rows: every k-th in the order of N, D and loss, so that a
/// table's own order changes nothing. The axes stay.
[[nodiscard]] LawRows sampled(const LawRows& rows, std::size_t most);

}  // namespace sizewise::fits

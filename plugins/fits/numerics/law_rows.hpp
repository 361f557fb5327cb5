#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sizewise/runs.hpp"

namespace sizewise::fits {

/// Where a logarithm was centred, and by what it was divided: u = (ln value - centre) /
/// scale.
struct Centred {
  double centre = 0.0;
  double scale = 1.0;
};

/// The rows of a table as a law sees them: logarithms, centred at the middle of their
/// range and scaled to [-1, 1], so that nothing depends on the units of N, D or L.
struct LawRows {
  std::vector<double> x;  ///< ln N
  std::vector<double> y;  ///< ln D
  std::vector<double> z;  ///< ln L, centred, not scaled
  std::vector<double> weight;
  Centred params;
  Centred tokens;
  Centred loss;
  double total_weight = 0.0;

  [[nodiscard]] std::size_t size() const { return x.size(); }
};

/// Rows of weight zero are left out; empty `weights`: once each.
/// @throws Error kInput where params, tokens or loss is missing, or a row that counts
/// holds
///   a value in them that is not finite and above 0, or a weight is negative
[[nodiscard]] LawRows law_rows(const RunTable& runs, std::span<const double> weights);

/// At most `most` of the rows: every k-th in the order of N, D and loss, so that a
/// table's own order changes nothing. The centres stay.
[[nodiscard]] LawRows sampled(const LawRows& rows, std::size_t most);

}  // namespace sizewise::fits

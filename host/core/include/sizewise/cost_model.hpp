#pragma once

#include <string_view>
#include <vector>

#include "sizewise/runs.hpp"
#include "sizewise/units.hpp"

namespace sizewise {

/// What one unit of training data costs a model of some size.
struct CostPoint {
  double params = 0.0;
  double flops_per_unit = 0.0;  ///< forward and backward
};

/// A stretch of sizes where c(N) = exp(log_factor) N^slope.
struct CostSegment {
  double log_from = 0.0;  ///< ln N where it begins; the first begins at minus infinity
  double log_factor = 0.0;
  double slope = 1.0;
};

/// c(N), the training FLOPs per unit of data as a function of the parameter count:
/// counted on the models themselves, or 6 N. [any thread]
class CostModel {
 public:
  /// c(N) = 6 N. Source: Kaplan et al. 2020 (arXiv 2001.08361), section 2.1.
  [[nodiscard]] static CostModel six_per_parameter();

  /// Log-log interpolation between counted sizes; beyond them, the slope of the last
  /// factor of two (of 6 N where only one size is known). Points of equal N are averaged.
  /// @throws Error kInput where there is no point or one is not finite and positive
  [[nodiscard]] static CostModel counted(std::vector<CostPoint> points);

  [[nodiscard]] bool is_counted() const { return !points_.empty(); }
  /// "counted" or "6nd".
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] double flops_per_unit(Parameters params) const;
  /// The D that a budget pays for: C / c(N).
  [[nodiscard]] Units units_for(Flops budget, Parameters params) const;
  /// The largest N of which a unit costs at most that much; infinite where no size costs
  /// more.
  [[nodiscard]] Parameters largest_for(double flops_per_unit) const;
  /// Ascending in N; empty for 6 N.
  [[nodiscard]] const std::vector<CostPoint>& points() const { return points_; }
  /// Ascending; never empty.
  [[nodiscard]] const std::vector<CostSegment>& segments() const { return segments_; }

 private:
  CostModel(std::vector<CostPoint> points, std::vector<CostSegment> segments);
  std::vector<CostPoint> points_;
  std::vector<CostSegment> segments_;
};

/// The counted cost model of a table with columns params, tokens and flops (tables with
/// more than 256 distinct sizes are averaged over equal steps of ln N); 6 N where the
/// table has no usable flops.
[[nodiscard]] CostModel cost_model_of(const RunTable& runs);

}  // namespace sizewise

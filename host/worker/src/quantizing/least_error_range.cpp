#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "quantizing/clipped_range.hpp"

namespace sizewise::quantizing {
namespace {

constexpr int kMostInputCode = 255;
constexpr int kStepsPerHalving = 16;  ///< steps are tried at every 2^(-1/16)
constexpr int kMostHalvings = 64;

double centre_of(const HistogramBin& bin) {
  return 0.5 * (bin.lower + bin.upper);
}

/// The integral, from 0, of the squared distance to the nearest multiple of a step.
double integrated_error(double value, double step) {
  const double multiple = std::nearbyint(value / step);
  const double rest = value / step - multiple;
  return step * step * step * (multiple / 12.0 + rest * rest * rest / 3.0);
}

/// The squared error of a bin's values, rounded to the nearest multiples of a step.
double rounding_error(const HistogramBin& bin, double step) {
  const auto count = static_cast<double>(bin.count);
  const double width = bin.upper - bin.lower;
  const double centre = centre_of(bin);
  if (width > step * 1e-3) {
    const double integral =
        integrated_error(bin.upper, step) - integrated_error(bin.lower, step);
    return count * integral / width;
  }
  // The difference of integrals would lose its digits, and is this.
  const double distance = centre - step * std::nearbyint(centre / step);
  return count * distance * distance;
}

/// Sums over the bins from one end on.
struct BinMoments {
  double count = 0.0;
  double first = 0.0;
  double second = 0.0;

  void add(const HistogramBin& bin) {
    const auto values = static_cast<double>(bin.count);
    const double centre = centre_of(bin);
    const double width = bin.upper - bin.lower;
    count += values;
    first += values * centre;
    second += values * (centre * centre + width * width / 12.0);
  }
  /// The squared error where a limit stands for all of them.
  [[nodiscard]] double error_at(double limit) const {
    return std::max(limit * limit * count - 2.0 * limit * first + second, 0.0);
  }
};

/// Codes of the multiples of a step, from -zero_point on.
struct InputCodes {
  double step = 0.0;
  int zero_point = 0;

  [[nodiscard]] double minimum() const {
    return zero_point == 0 ? 0.0 : -step * zero_point;
  }
  [[nodiscard]] double maximum() const { return step * (kMostInputCode - zero_point); }
};

/// The squared error of values in codes.
class CodeErrors {
 public:
  explicit CodeErrors(const std::vector<HistogramBin>& bins)
      : bins_(bins),
        below_(bins.size() + 1),
        above_(bins.size() + 1),
        rounding_(bins.size() + 1) {
    for (std::size_t i = 0; i < bins.size(); ++i) {
      centres_.push_back(centre_of(bins[i]));
      below_[i + 1] = below_[i];
      below_[i + 1].add(bins[i]);
    }
    for (std::size_t i = bins.size(); i-- > 0;) {
      above_[i] = above_[i + 1];
      above_[i].add(bins[i]);
    }
  }

  void set_step(double step) {
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      rounding_[i + 1] = rounding_[i] + rounding_error(bins_[i], step);
    }
  }

  struct Errors {
    double clipping = 0.0;
    double all = 0.0;
  };
  /// @param codes of the step that was set last
  [[nodiscard]] Errors of(const InputCodes& codes) const {
    const std::size_t first = bins_up_to(codes.minimum());
    const std::size_t last = std::max(bins_up_to(codes.maximum()), first);
    const double clipping =
        below_[first].error_at(codes.minimum()) + above_[last].error_at(codes.maximum());
    return {clipping, clipping + std::max(rounding_[last] - rounding_[first], 0.0)};
  }

 private:
  /// How many bins have their centre below a limit.
  [[nodiscard]] std::size_t bins_up_to(double limit) const {
    return static_cast<std::size_t>(
        std::lower_bound(centres_.begin(), centres_.end(), limit) - centres_.begin());
  }

  const std::vector<HistogramBin>& bins_;
  std::vector<double> centres_;
  std::vector<BinMoments> below_;
  std::vector<BinMoments> above_;
  std::vector<double> rounding_;
};

}  // namespace

ObservedRange least_error_range(const ObservedValues& values) {
  const ObservedRange& all = values.all;
  const double longest_step = (all.maximum - all.minimum) / kMostInputCode;
  if (longest_step <= 0.0) {
    return all;
  }
  CodeErrors errors(values.bins);
  errors.set_step(longest_step);
  ObservedRange best = all;
  const auto nearest = static_cast<int>(std::nearbyint(-all.minimum / longest_step));
  double least = errors.of({longest_step, nearest}).all;
  for (int i = 1; i < kMostHalvings * kStepsPerHalving; ++i) {
    const double step =
        longest_step * std::exp2(-static_cast<double>(i) / kStepsPerHalving);
    errors.set_step(step);
    // More codes on one side than the values need are never better.
    const double codes_below = std::ceil(-all.minimum / step);
    const double codes_above = std::ceil(all.maximum / step);
    const int from = static_cast<int>(std::max(kMostInputCode - codes_above, 0.0));
    const int to = static_cast<int>(std::min<double>(kMostInputCode, codes_below));
    double least_clipping = std::numeric_limits<double>::infinity();
    for (int zero_point = from; zero_point <= to; ++zero_point) {
      const InputCodes codes{step, zero_point};
      const CodeErrors::Errors found = errors.of(codes);
      least_clipping = std::min(least_clipping, found.clipping);
      if (found.all < least) {
        least = found.all;
        best = {std::max(codes.minimum(), all.minimum),
                std::min(codes.maximum(), all.maximum)};
      }
    }
    if (least_clipping > least) {
      break;  // shorter steps clip more
    }
  }
  return best;
}

}  // namespace sizewise::quantizing

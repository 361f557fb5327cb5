#pragma once

#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace sizewise::quantizing {

/// How calibration chooses the range of a layer's inputs, as the option `observer` names
/// them: "minmax", "moving_average", "percentile", "mse", "entropy".
enum class ObserverKind { kMinMax, kMovingAverage, kPercentile, kMse, kEntropy };

/// @throws Error kConfiguration for another name, with those allowed
[[nodiscard]] ObserverKind observer_kind(std::string_view name);
[[nodiscard]] std::string_view to_string(ObserverKind kind) noexcept;

/// A range of values. Holds 0 (a code stands for it exactly).
struct ObservedRange {
  double minimum = 0.0;
  double maximum = 0.0;
};

/// Sees values, batch by batch, and names a range for 8-bit codes. All kinds but the
/// moving average give the same range, to the last bit, whatever the order of the
/// batches. [one thread at a time]
class RangeObserver {
 public:
  virtual ~RangeObserver() = default;
  /// @param values float32 of any shape, finite; may be empty
  virtual void observe(const at::Tensor& values) = 0;
  /// {0, 0} where nothing was seen.
  [[nodiscard]] virtual ObservedRange range() const = 0;
};

[[nodiscard]] std::unique_ptr<RangeObserver> make_observer(ObserverKind kind);

}  // namespace sizewise::quantizing

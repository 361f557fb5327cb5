#pragma once

#include <cmath>
#include <vector>

#include <ATen/core/Tensor.h>

#include "quantizing/range_observer.hpp"

// What the tests of observers have alike.
namespace sizewise::quantizing::test {

/// What an observer makes of batches.
inline ObservedRange range_of(ObserverKind kind, const std::vector<at::Tensor>& batches) {
  const auto observer = make_observer(kind);
  for (const at::Tensor& batch : batches) {
    observer->observe(batch);
  }
  return observer->range();
}

/// Values as 8-bit codes of a range stand for them.
inline at::Tensor decoded_codes(const at::Tensor& values, const ObservedRange& range) {
  const double step = (range.maximum - range.minimum) / 255.0;
  const double zero_point = std::nearbyint(-range.minimum / step);
  const at::Tensor codes = ((values.to(at::kDouble) / step).round() + zero_point);
  return (codes.clamp(0, 255) - zero_point) * step;
}

/// The mean squared error of values in 8-bit codes of a range.
inline double code_error(const at::Tensor& values, const ObservedRange& range) {
  return (decoded_codes(values, range) - values).square().mean().item<double>();
}

/// Signal to quantization noise, in dB.
inline double sqnr_db(const at::Tensor& values, const ObservedRange& range) {
  const double power = values.to(at::kDouble).square().mean().item<double>();
  return 10.0 * std::log10(power / code_error(values, range));
}

}  // namespace sizewise::quantizing::test

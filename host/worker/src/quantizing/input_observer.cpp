#include "quantizing/input_observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/ops/aminmax.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/accumulate.h>

#include "quantizing/input_windows.hpp"

namespace sizewise::quantizing {
namespace {

/// Whatever mode the module runs in, measuring is plain arithmetic on plain tensors.
struct PlainArithmetic {
  c10::InferenceMode no_inference_mode{false};
  at::NoGradGuard no_gradients;
  c10::impl::ExcludeDispatchKeyGuard no_autocast{c10::autocast_dispatch_keyset};
};

/// The largest absolute value at each place of one dimension.
at::Tensor largest_along(const at::Tensor& values, int64_t dimension) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < values.dim(); ++d) {
    if (d != dimension) {
      others.push_back(d);
    }
  }
  return at::linalg_vector_norm(values, std::numeric_limits<double>::infinity(), others);
}

/// How often a convolution's kernel stands over its input, for each group.
int64_t window_count(const at::Tensor& input,
                     at::IntArrayRef kernel,
                     const ConvolutionGeometry& geometry) {
  int64_t count = input.size(0) * geometry.groups;
  for (std::size_t d = 0; d < kernel.size(); ++d) {
    const int64_t span = geometry.dilation[d] * (kernel[d] - 1) + 1;
    const int64_t size =
        input.size(static_cast<int64_t>(d) + 2) + 2 * geometry.padding[d];
    count *= (size - span) / geometry.stride[d] + 1;
  }
  return count;
}

}  // namespace

void FirstNotFinite::report(const std::string& layer) {
  const std::scoped_lock lock(mutex_);
  if (!layer_) {
    layer_ = layer;
  }
}

std::optional<std::string> FirstNotFinite::layer() const {
  const std::scoped_lock lock(mutex_);
  return layer_;
}

InputObserver::InputObserver(std::string name,
                             at::Tensor weight,
                             const CalibrationNeeds& needs,
                             ObserverKind kind,
                             std::shared_ptr<FirstNotFinite> failure)
    : SiteKernel(std::move(name)),
      weight_(std::move(weight)),
      needs_(needs),
      range_(make_observer(kind)),
      failure_(std::move(failure)) {}

at::Tensor InputObserver::linear(const at::Tensor& rows,
                                 const std::optional<at::Tensor>& bias) {
  at::Tensor output = SiteKernel::linear(rows, bias);
  observe_rows(rows);
  return output;
}

at::Tensor InputObserver::convolution(const at::Tensor& input,
                                      const std::optional<at::Tensor>& bias,
                                      const ConvolutionGeometry& geometry) {
  at::Tensor output = SiteKernel::convolution(input, bias, geometry);
  observe_image(input, geometry);  // of which LibTorch has now said that it fits
  return output;
}

InputStatistics InputObserver::statistics() const {
  const std::scoped_lock lock(mutex_);
  InputStatistics statistics;
  statistics.rows = rows_;
  if (needs_.input_range && rows_ > 0) {
    const ObservedRange range = range_->range();
    statistics.minimum = range.minimum;
    statistics.maximum = range.maximum;
  }
  statistics.channel_maximum = channel_maximum_;
  if (second_moment_.defined()) {
    statistics.second_moment = second_moment_.to(at::kFloat);
  }
  return statistics;
}

at::Tensor InputObserver::measured(const at::Tensor& input) {
  if (input.numel() == 0) {
    return {};
  }
  at::Tensor values = input.to(at::kFloat);
  const auto [minimum, maximum] = at::aminmax(values);  // NaN where there is one
  if (!std::isfinite(minimum.item<float>()) || !std::isfinite(maximum.item<float>())) {
    failure_->report(name());
    return {};
  }
  if (needs_.input_range) {
    range_->observe(values);
  }
  return values;
}

void InputObserver::add_channels(const at::Tensor& maximum) {
  channel_maximum_ =
      channel_maximum_.defined() ? at::maximum(channel_maximum_, maximum) : maximum;
}

void InputObserver::add_second_moment(const at::Tensor& rows) {
  const int64_t columns = rows.size(1);
  if (!second_moment_.defined()) {
    second_moment_ = at::zeros({columns, columns}, rows.options().dtype(at::kDouble));
  }
  constexpr int64_t kNumbersAtOnce = int64_t{1} << 22;  // 32 MiB in double precision
  const int64_t at_once = std::max<int64_t>(kNumbersAtOnce / columns, 1);
  for (int64_t first = 0; first < rows.size(0); first += at_once) {
    const at::Tensor some =
        rows.narrow(0, first, std::min(at_once, rows.size(0) - first)).to(at::kDouble);
    second_moment_.addmm_(some.t(), some);
  }
}

void InputObserver::observe_rows(const at::Tensor& rows) {
  const PlainArithmetic plain;
  const std::scoped_lock lock(mutex_);
  const at::Tensor values = measured(rows);
  if (!values.defined()) {
    return;
  }
  rows_ += values.size(0);
  if (needs_.channel_maximum) {
    add_channels(largest_along(values, 1));
  }
  if (needs_.second_moment) {
    add_second_moment(values);
  }
}

void InputObserver::observe_image(const at::Tensor& input,
                                  const ConvolutionGeometry& geometry) {
  const PlainArithmetic plain;
  const std::scoped_lock lock(mutex_);
  const at::Tensor values = measured(input);
  if (!values.defined()) {
    return;
  }
  const at::IntArrayRef kernel = weight_.sizes().slice(2);
  if (needs_.channel_maximum) {
    at::Tensor maximum = largest_along(values, 1);
    if (!geometry.transposed) {  // whose weight has the inputs of all groups
      maximum = maximum.view({geometry.groups, -1}).amax(0);
    }
    add_channels(maximum.repeat_interleave(c10::multiply_integers(kernel)));
  }
  if (geometry.transposed) {
    rows_ += values.numel() / values.size(1);
    return;
  }
  rows_ += window_count(values, kernel, geometry);
  if (needs_.second_moment) {
    for (const at::Tensor& one : values.split(1)) {  // windows of all could be too many
      add_second_moment(input_windows(one, kernel, geometry));
    }
  }
}

}  // namespace sizewise::quantizing

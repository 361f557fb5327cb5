#include "quantizing/range_observer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/aminmax.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/clipped_range.hpp"
#include "quantizing/histogram.hpp"

namespace sizewise::quantizing {
namespace {

constexpr std::array<std::pair<ObserverKind, std::string_view>, 5> kObserverNames{{
    {ObserverKind::kMinMax, "minmax"},
    {ObserverKind::kMovingAverage, "moving_average"},
    {ObserverKind::kPercentile, "percentile"},
    {ObserverKind::kMse, "mse"},
    {ObserverKind::kEntropy, "entropy"},
}};

constexpr double kSmallestNormal = std::numeric_limits<float>::min();

/// The least and the largest of values. @param values float32, not empty
ObservedRange least_and_largest(const at::Tensor& values) {
  const auto [minimum, maximum] = at::aminmax(values);
  return {minimum.item<float>(), maximum.item<float>()};
}

ObservedRange with_zero(const ObservedRange& range) {
  // In this order, so that none of them becomes -0.
  return {std::min(0.0, range.minimum), std::max(0.0, range.maximum)};
}

class MinMax final : public RangeObserver {
 public:
  void observe(const at::Tensor& values) override {
    if (values.numel() == 0) {
      return;
    }
    const ObservedRange seen = with_zero(least_and_largest(values));
    range_ = {std::min(range_.minimum, seen.minimum),
              std::max(range_.maximum, seen.maximum)};
  }
  [[nodiscard]] ObservedRange range() const override { return range_; }

 private:
  ObservedRange range_;
};

/// Source: PyTorch, torch/ao/quantization/observer.py, MovingAverageMinMaxObserver.
class MovingAverage final : public RangeObserver {
 public:
  void observe(const at::Tensor& values) override {
    if (values.numel() == 0) {
      return;
    }
    const ObservedRange seen = least_and_largest(values);
    if (!any_) {
      range_ = seen;
      any_ = true;
      return;
    }
    constexpr double kWeight = 0.01;
    range_.minimum += kWeight * (seen.minimum - range_.minimum);
    range_.maximum += kWeight * (seen.maximum - range_.maximum);
  }
  [[nodiscard]] ObservedRange range() const override { return with_zero(range_); }

 private:
  ObservedRange range_;
  bool any_ = false;
};

/// Chooses a range by the histogram of all values.
class HistogramObserver final : public RangeObserver {
 public:
  using Choose = ObservedRange (*)(const ObservedValues&);

  explicit HistogramObserver(Choose choose) : choose_(choose) {}

  void observe(const at::Tensor& values) override {
    if (values.numel() == 0) {
      return;
    }
    extremes_.observe(values);
    const at::Tensor in_a_row = values.contiguous();
    histogram_.add(
        {in_a_row.const_data_ptr<float>(), static_cast<std::size_t>(in_a_row.numel())});
  }

  [[nodiscard]] ObservedRange range() const override {
    const ObservedRange all = extremes_.range();
    if (std::max(-all.minimum, all.maximum) < kSmallestNormal) {
      return all;  // bins are not narrow there
    }
    const std::vector<HistogramBin> bins = histogram_.bins(all.minimum, all.maximum);
    return with_zero(choose_({bins, all}));
  }

 private:
  Choose choose_;
  MinMax extremes_;
  Histogram histogram_;
};

}  // namespace

ObserverKind observer_kind(std::string_view name) {
  std::string allowed;
  for (const auto& [kind, its_name] : kObserverNames) {
    if (its_name == name) {
      return kind;
    }
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", its_name);
  }
  throw Error(ErrorCode::kConfiguration,
              fmt::format("unknown observer '{}'; allowed: {}", name, allowed),
              "choose one of these, such as minmax");
}

std::string_view to_string(ObserverKind kind) noexcept {
  for (const auto& [its_kind, name] : kObserverNames) {
    if (its_kind == kind) {
      return name;
    }
  }
  return "unknown";
}

std::unique_ptr<RangeObserver> make_observer(ObserverKind kind) {
  switch (kind) {
    case ObserverKind::kMovingAverage:
      return std::make_unique<MovingAverage>();
    case ObserverKind::kPercentile:
      return std::make_unique<HistogramObserver>(percentile_range);
    case ObserverKind::kMse:
      return std::make_unique<HistogramObserver>(least_error_range);
    case ObserverKind::kEntropy:
      return std::make_unique<HistogramObserver>(least_divergence_range);
    case ObserverKind::kMinMax:
      break;
  }
  return std::make_unique<MinMax>();
}

}  // namespace sizewise::quantizing

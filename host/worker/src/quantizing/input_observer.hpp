#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "sizewise/quantizer.hpp"

#include "quantizing/range_observer.hpp"
#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing {

/// The first of the layers whose input was not finite. [any thread]
class FirstNotFinite {
 public:
  void report(const std::string& layer);
  [[nodiscard]] std::optional<std::string> layer() const;

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> layer_;
};

/// Computes with the float weight and measures the layer's input.
class InputObserver final : public SiteKernel {
 public:
  /// @param weight as it is, in its own memory
  /// @param failure is told of an input that is not finite
  InputObserver(std::string name,
                at::Tensor weight,
                const CalibrationNeeds& needs,
                ObserverKind kind,
                std::shared_ptr<FirstNotFinite> failure);

  [[nodiscard]] at::Tensor dense() const override { return weight_; }
  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const std::optional<at::Tensor>& bias) override;
  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const std::optional<at::Tensor>& bias,
                                       const ConvolutionGeometry& geometry) override;

  /// What was seen so far: nothing but `rows` where that is 0.
  [[nodiscard]] InputStatistics statistics() const;

 private:
  /// Measures what does not depend on how the layer uses its input.
  /// @returns the input in float32; undefined where it is empty or not finite
  [[nodiscard]] at::Tensor measured(const at::Tensor& input);
  void add_channels(const at::Tensor& maximum);
  void add_second_moment(const at::Tensor& rows);
  void observe_rows(const at::Tensor& rows);
  void observe_image(const at::Tensor& input, const ConvolutionGeometry& geometry);

  at::Tensor weight_;
  CalibrationNeeds needs_;
  std::unique_ptr<RangeObserver> range_;
  std::shared_ptr<FirstNotFinite> failure_;
  mutable std::mutex mutex_;
  int64_t rows_ = 0;
  at::Tensor channel_maximum_;  ///< {K}, float32
  at::Tensor second_moment_;    ///< {K, K}, float64
};

}  // namespace sizewise::quantizing

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "kernels/activation_codes.hpp"

namespace sizewise::quantizing {

/// A layer's bytes for oneDNN's product of u8 and s8, through LibTorch's operators
/// onednn::qlinear_prepack and onednn::qlinear_pointwise. [any thread]
class OnednnLinear {
 public:
  /// @param codes [channels, columns] by rows
  OnednnLinear(std::vector<int8_t> codes, int64_t channels, int64_t columns);

  /// Whether it multiplies these rows: oneDNN knows one zero point for all.
  [[nodiscard]] static bool takes(const kernels::CodedRows& x);

  /// As kernels::multiply() of weights without zero points, with the same bits.
  /// @param weight_scale [channels]
  /// @param bias [channels] or null
  /// @param out [x.rows, channels]
  void multiply(const kernels::CodedRows& x,
                const float* weight_scale,
                const float* bias,
                float* out) const;

  [[nodiscard]] int64_t bytes() const { return channels_ * columns_; }

 private:
  int64_t channels_;
  int64_t columns_;
  at::Tensor packed_;
  at::Tensor ones_;   // {N}: sums come as they are
  at::Tensor zeros_;  // {N}
};

/// What of oneDNN's product is not exact in this process, such as "sums of 255 x 127 over
/// 512 columns"; empty text where all is. oneDNN saturates silently on processors without
/// VNNI, or where ONEDNN_MAX_CPU_ISA says so. Found out once. [any thread]
[[nodiscard]] const std::string& fault_of_onednn_linear();

/// Whether a product of so many rows is faster there than by our own loops, and exact.
/// @param operations products of two bytes
[[nodiscard]] bool onednn_pays(int64_t rows, int64_t operations);

/// "onednn from 16 rows on", or empty text where it is never taken.
[[nodiscard]] std::string onednn_route();

}  // namespace sizewise::quantizing

#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "quantizing/quantized_weight.hpp"
#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing {

/// What runs behind the site of a quantized weight. Sums of codes are exact integers at
/// every processor level. Where gradients are recorded, the input's is that of the
/// decoded weight (straight through).
class QuantizedKernel : public SiteKernel {
 public:
  using SiteKernel::SiteKernel;

  /// What runs for one row and what for many, such as "int8 avx512_vnni, onednn above 8
  /// rows" or "bfloat16": for reports.
  [[nodiscard]] virtual std::string route() const = 0;

  /// Bytes of memory that the weight takes.
  [[nodiscard]] virtual int64_t bytes() const = 0;
};

/// Packs a weight for its kernel.
/// @param float_weight the parameter itself where `keeps_float`, else undefined
/// @throws Error kQuantization naming the layer where no kernel runs it, with what would
///   work
[[nodiscard]] std::shared_ptr<QuantizedKernel> make_kernel(
    const QuantizedWeight& weight, const at::Tensor& float_weight = {});

}  // namespace sizewise::quantizing

#include <cmath>
#include <string_view>

#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "quantizing/quantized_weight.hpp"

namespace sizewise::quantizing {
namespace {

/// Refuses what a quantizer gave for one layer.
class NumbersCheck {
 public:
  NumbersCheck(const std::string& name,
               const QuantizedLayer& numbers,
               int64_t rows,
               int64_t columns)
      : name_(name), numbers_(numbers), rows_(rows), columns_(columns) {}

  void run() const {
    check_bits();
    check_codes();
    if (numbers_.bits < 16) {
      check_scales();
      check_zero_points();
    }
    check_input_scale();
    check_activation();
  }

 private:
  [[noreturn]] void refuse(std::string_view field, const std::string& what) const {
    throw Error(ErrorCode::kQuantization,
                fmt::format("the {} of layer '{}' {}", field, name_, what),
                fmt::format("correct the quantizer, or exclude '{}'", name_));
  }

  void check_bits() const {
    if ((numbers_.bits < 2 || numbers_.bits > 8) && numbers_.bits != 16) {
      refuse("bits", fmt::format("are {}; allowed: 2 to 8, and 16", numbers_.bits));
    }
  }

  /// A plain tensor of this type and shape in this machine's memory.
  void check_tensor(std::string_view field,
                    const at::Tensor& tensor,
                    at::ScalarType type,
                    const std::vector<int64_t>& shape) const {
    if (!tensor.defined()) {
      refuse(field, "are missing");
    }
    if (tensor.scalar_type() != type || tensor.sizes() != shape || !tensor.is_cpu() ||
        tensor.layout() != at::kStrided) {
      refuse(field,
             fmt::format("are {} of shape {} on {}; needed: {} of shape {} on cpu",
                         c10::toString(tensor.scalar_type()),
                         fmt::join(tensor.sizes(), " x "),
                         tensor.device().str(),
                         c10::toString(type),
                         fmt::join(shape, " x ")));
    }
  }

  void check_codes() const {
    constexpr std::string_view kField = "codes";
    if (numbers_.bits < 16) {
      check_tensor(kField, numbers_.codes, at::kChar, {rows_, columns_});
      check_integers(kField, numbers_.codes);
      return;
    }
    const bool is_half =
        numbers_.codes.defined() && numbers_.codes.scalar_type() == at::kHalf;
    check_tensor(
        kField, numbers_.codes, is_half ? at::kHalf : at::kBFloat16, {rows_, columns_});
    if (!at::isfinite(numbers_.codes).all().item<bool>()) {
      refuse(kField, "hold a number that is NaN or infinite");
    }
  }

  void check_integers(std::string_view field, const at::Tensor& integers) const {
    if (integers.numel() == 0) {
      return;
    }
    const int lowest = -(1 << (numbers_.bits - 1));
    const int highest = -lowest - 1;
    const auto low = integers.min().item<int64_t>();
    const auto high = integers.max().item<int64_t>();
    if (low < lowest || high > highest) {
      refuse(field,
             fmt::format("reach from {} to {}; {} bits hold {} to {}",
                         low,
                         high,
                         numbers_.bits,
                         lowest,
                         highest));
    }
  }

  [[nodiscard]] std::vector<int64_t> shape_of_scales() const {
    switch (numbers_.granularity) {
      case Granularity::kTensor:
        return {1, 1};
      case Granularity::kChannel:
        return {rows_, 1};
      case Granularity::kGroup:
        break;
    }
    const int64_t size = numbers_.group_size;
    if (size <= 0 || columns_ % size != 0) {
      refuse("group_size",
             fmt::format("is {}; it must divide the layer's {} inputs", size, columns_));
    }
    return {rows_, columns_ / size};
  }

  void check_scales() const {
    check_tensor("scales", numbers_.scales, at::kFloat, shape_of_scales());
    check_positive("scales", numbers_.scales);
  }

  void check_positive(std::string_view field, const at::Tensor& scales) const {
    if (!at::isfinite(scales).logical_and(scales.gt(0)).all().item<bool>()) {
      refuse(field, "hold a number that is not finite and above 0");
    }
  }

  void check_zero_points() const {
    constexpr std::string_view kField = "zero points";
    if (numbers_.scheme == Scheme::kSymmetric) {
      if (numbers_.zero_points.defined()) {
        refuse(kField, "are given although its scheme is symmetric");
      }
      return;
    }
    check_tensor(kField, numbers_.zero_points, at::kChar, shape_of_scales());
    check_integers(kField, numbers_.zero_points);
  }

  void check_input_scale() const {
    if (numbers_.input_scale.defined()) {
      check_tensor("input scales", numbers_.input_scale, at::kFloat, {columns_});
      check_positive("input scales", numbers_.input_scale);
    }
  }

  void check_activation() const {
    if (numbers_.activation == ActivationTreatment::kNone) {
      return;
    }
    if (numbers_.bits == 16) {
      refuse("activation treatment",
             "quantizes its inputs, but its weight stays in 16 bits");
    }
    if (numbers_.activation == ActivationTreatment::kStatic) {
      check_static();
    }
  }

  void check_static() const {
    // As a float, because that is what the kernel computes with.
    const auto scale = static_cast<float>(numbers_.activation_scale.value_or(0.0));
    if (!(scale > 0.0F) || !std::isfinite(scale)) {
      refuse("activation scale",
             numbers_.activation_scale
                 ? fmt::format("is {}; it must be finite and above 0",
                               *numbers_.activation_scale)
                 : "is missing; static quantization needs one");
    }
    const int64_t zero_point = numbers_.activation_zero_point.value_or(-1);
    if (zero_point < 0 || zero_point > 255) {
      refuse("activation zero point",
             numbers_.activation_zero_point
                 ? fmt::format("is {}; allowed: 0 to 255", zero_point)
                 : "is missing; static quantization needs one");
    }
  }

  const std::string& name_;
  const QuantizedLayer& numbers_;
  int64_t rows_;
  int64_t columns_;
};

}  // namespace

void check_numbers(const std::string& name,
                   const QuantizedLayer& numbers,
                   int64_t rows,
                   int64_t columns) {
  NumbersCheck(name, numbers, rows, columns).run();
}

}  // namespace sizewise::quantizing

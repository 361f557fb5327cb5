#include "quantizing/convolution_product.hpp"

#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "kernels/level_functions.hpp"
#include "kernels/processor_level.hpp"
#include "quantizing/coded_images.hpp"
#include "quantizing/convolution_axes.hpp"
#include "quantizing/convolution_columns.hpp"
#include "quantizing/convolution_routes.hpp"
#include "quantizing/onednn_convolution.hpp"
#include "quantizing/packed_convolution.hpp"
#include "quantizing/parameter_name.hpp"

namespace sizewise::quantizing {
namespace {

[[noreturn]] void refuse(const QuantizedWeight& weight,
                         const std::string& message,
                         const std::string& suggestion = {}) {
  throw Error(ErrorCode::kQuantization,
              fmt::format("layer '{}': {}", layer_name(weight.name), message),
              suggestion);
}

bool is_transposed(const QuantizedWeight& weight) {
  return weight.use == WeightUse::kTransposedConvolution;
}

void check_codes(const QuantizedWeight& weight) {
  const QuantizedLayer& numbers = weight.numbers;
  if (weight.shape.size() < 3) {
    refuse(weight,
           fmt::format("a weight of shape [{}] is no convolution's; allowed: 3 or more "
                       "dimensions",
                       fmt::join(weight.shape, ", ")));
  }
  const int64_t rows = weight.shape[is_transposed(weight) ? 1 : 0];
  const int64_t columns = rows == 0 ? 0 : c10::multiply_integers(weight.shape) / rows;
  if (!numbers.codes.defined() || numbers.codes.scalar_type() != at::kChar ||
      numbers.codes.sizes() != at::IntArrayRef({rows, columns})) {
    refuse(
        weight,
        fmt::format("its codes are not the int8 matrix {} x {} of a weight of shape [{}]",
                    rows,
                    columns,
                    fmt::join(weight.shape, ", ")));
  }
  const at::Tensor& scales = numbers.scales;
  if (!scales.defined() || scales.scalar_type() != at::kFloat || scales.dim() != 2 ||
      (scales.size(0) != 1 && scales.size(0) != rows) || scales.size(1) < 1 ||
      columns % scales.size(1) != 0) {
    refuse(
        weight,
        fmt::format("its scales are not float32 of 1 or {} rows, and a number of columns "
                    "that divides {}",
                    rows,
                    columns));
  }
  const at::Tensor& zero_points = numbers.zero_points;
  if (zero_points.defined() &&
      (zero_points.scalar_type() != at::kChar || zero_points.sizes() != scales.sizes())) {
    refuse(weight, "its zero points are not int8 of the shape of its scales");
  }
}

void check_activation(const QuantizedWeight& weight) {
  const QuantizedLayer& numbers = weight.numbers;
  if (numbers.input_scale.defined()) {
    refuse(weight,
           "a scale for each input cannot be taken out of a convolution's input, where "
           "each value stands in several columns",
           "quantize this layer without input scales, or exclude it");
  }
  if (numbers.activation != ActivationTreatment::kStatic) {
    return;
  }
  const double scale = numbers.activation_scale.value_or(0.0);
  const int64_t zero = numbers.activation_zero_point.value_or(-1);
  const auto narrow = static_cast<float>(scale);
  if (!(narrow > 0.0F) || !std::isfinite(narrow) || zero < 0 || zero > 255) {
    refuse(
        weight,
        fmt::format("its input has scale {} and zero point {}; allowed: a finite scale "
                    "above 0, and a zero point from 0 to 255",
                    scale,
                    zero));
  }
}

void check_weight(const QuantizedWeight& weight) {
  if (weight.use != WeightUse::kConvolution && !is_transposed(weight)) {
    refuse(weight, "its weight is not a convolution's");
  }
  const int bits = weight.numbers.bits;
  if (bits != 8 && bits != 4) {
    refuse(
        weight,
        fmt::format("no kernel convolves with weights of {} bits; allowed: 8 or 4", bits),
        "take bits 8 or 4 for this layer, or exclude it");
  }
  check_codes(weight);
  check_activation(weight);
}

/// One scale for each output, also where all share one.
at::Tensor scales_of_rows(const QuantizedLayer& numbers) {
  return numbers.scales.reshape({-1}).expand({numbers.codes.size(0)}).contiguous();
}

/// A weight packed for one geometry.
struct PackedWeight {
  std::unique_ptr<const OnednnConvolution> onednn;
  std::unique_ptr<const PackedConvolution> columns;

  [[nodiscard]] int64_t bytes() const {
    return onednn != nullptr ? onednn->bytes() : columns->bytes();
  }
};

class IntegerConvolution final : public ConvolutionProduct {
 public:
  /// @param route the faster one for each geometry where it is not given
  IntegerConvolution(QuantizedWeight weight, std::optional<ConvolutionRoute> route)
      : weight_(std::move(weight)), route_(route) {
    coding_.treatment = weight_.numbers.activation;
    if (coding_.treatment == ActivationTreatment::kStatic) {
      // NOLINTBEGIN(bugprone-unchecked-optional-access): check_numbers() has seen them
      coding_.fixed = {static_cast<float>(*weight_.numbers.activation_scale),
                       static_cast<int32_t>(*weight_.numbers.activation_zero_point)};
      // NOLINTEND(bugprone-unchecked-optional-access)
    }
  }

  at::Tensor run(const at::Tensor& input,
                 const std::optional<at::Tensor>& bias,
                 const ConvolutionGeometry& geometry) override {
    const c10::NoGradGuard no_gradients;
    check_geometry(layer_name(weight_.name), weight_.shape, geometry);
    check_input(input, geometry);
    const at::IntArrayRef kernel = at::IntArrayRef(weight_.shape).slice(2);
    const std::vector<int64_t> sizes =
        output_sizes(layer_name(weight_.name), input.sizes().slice(2), kernel, geometry);
    std::vector<int64_t> shape{input.size(0), outputs(geometry)};
    shape.insert(shape.end(), sizes.begin(), sizes.end());
    const at::MemoryFormat format =
        input.dim() > 5 ? at::MemoryFormat::Contiguous : input.suggest_memory_format();
    at::Tensor output = at::empty(shape, input.options().memory_format(format));
    if (output.numel() == 0) {
      return output;
    }
    const at::Tensor floats =
        bias && bias->defined() ? bias->to(at::kFloat).contiguous() : at::Tensor();
    const PackedWeight& packed = packed_for(geometry);
    if (packed.onednn != nullptr) {
      return run_onednn(*packed.onednn, input, floats, output);
    }
    const auto coded = code_images(
        layer_name(weight_.name), input, frame(input, sizes, geometry), coding_);
    convolve_columns(
        *packed.columns, coded, floats, output, format != at::MemoryFormat::Contiguous);
    return output;
  }

  std::string route() const override {
    bool has_onednn = false;
    bool has_columns = false;
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& [key, packed] : packed_) {
        (packed.onednn != nullptr ? has_onednn : has_columns) = true;
      }
    }
    if (!has_onednn && !has_columns) {
      has_onednn = route_for(1) == ConvolutionRoute::kOnednn;
      has_columns = !has_onednn;
    }
    return fmt::format(
        "int{} {}{}{}{}",
        weight_.numbers.bits,
        has_onednn ? "onednn" : "",
        has_onednn && has_columns ? " and " : "",
        has_columns
            ? fmt::format("{} by columns", kernels::name_of(kernels::used_level()))
            : "",
        coding_.treatment == ActivationTreatment::kNone ? ", inputs of 16 bits" : "");
  }

  int64_t bytes() const override {
    const QuantizedLayer& numbers = weight_.numbers;
    auto bytes = static_cast<int64_t>(numbers.codes.nbytes() + numbers.scales.nbytes());
    if (numbers.zero_points.defined()) {
      bytes += static_cast<int64_t>(numbers.zero_points.nbytes());
    }
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, packed] : packed_) {
      bytes += packed.bytes();
    }
    return bytes;
  }

 private:
  [[nodiscard]] ConvolutionRoute route_for(int64_t groups) const {
    return route_ ? *route_ : choose_route(weight_, groups);
  }

  [[nodiscard]] int64_t outputs(const ConvolutionGeometry& geometry) const {
    return geometry.transposed ? weight_.shape[1] * geometry.groups : weight_.shape[0];
  }

  void check_input(const at::Tensor& input, const ConvolutionGeometry& geometry) const {
    const int64_t channels =
        geometry.transposed ? weight_.shape[0] : weight_.shape[1] * geometry.groups;
    if (geometry.transposed != is_transposed(weight_)) {
      refuse(weight_, "its weight is used by the other kind of convolution");
    }
    if (input.scalar_type() != at::kFloat ||
        input.dim() != static_cast<int64_t>(weight_.shape.size()) ||
        input.size(1) != channels) {
      refuse(weight_,
             fmt::format("an input of type {} and shape [{}] cannot be convolved with; "
                         "allowed: float32 of {} dimensions with {} channels",
                         c10::toString(input.scalar_type()),
                         fmt::join(input.sizes(), ", "),
                         weight_.shape.size(),
                         channels));
    }
  }

  [[nodiscard]] std::vector<AxisFrame> frame(const at::Tensor& input,
                                             const std::vector<int64_t>& sizes,
                                             const ConvolutionGeometry& geometry) const {
    std::vector<AxisFrame> frame;
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      const auto dimension = static_cast<int64_t>(axis) + 2;
      frame.push_back(frame_of(phases_of(weight_.shape[axis + 2], geometry, axis),
                               input.size(dimension),
                               sizes[axis]));
    }
    return frame;
  }

  /// @param output to be filled where the sums do not lie as it does
  at::Tensor run_onednn(const OnednnConvolution& convolution,
                        const at::Tensor& input,
                        const at::Tensor& bias,
                        const at::Tensor& output) const {
    const std::vector<AxisFrame> no_frame(weight_.shape.size() - 2);
    const auto coded = code_images(layer_name(weight_.name), input, no_frame, coding_);
    at::Tensor sum = convolution.run(coded.front(), bias);
    if (coded.size() == 2) {
      sum.add_(convolution.run(coded.back(), {}));
    }
    return sum.strides() == output.strides() ? sum : output.copy_(sum);
  }

  /// The weight packed for a geometry: made once, then kept.
  const PackedWeight& packed_for(const ConvolutionGeometry& geometry) {
    std::vector<int64_t> key{geometry.groups};
    for (const std::vector<int64_t>& numbers :
         {geometry.stride, geometry.padding, geometry.dilation}) {
      key.insert(key.end(), numbers.begin(), numbers.end());
    }
    const std::scoped_lock lock(mutex_);
    const auto [found, is_new] = packed_.try_emplace(key);
    if (is_new) {
      try {
        found->second = packed(geometry);
      } catch (...) {
        packed_.erase(found);
        throw;
      }
    }
    return found->second;
  }

  [[nodiscard]] PackedWeight packed(const ConvolutionGeometry& geometry) const {
    if (route_for(geometry.groups) == ConvolutionRoute::kOnednn) {
      return {std::make_unique<OnednnConvolution>(
                  weight_.numbers.codes.reshape(weight_.shape),
                  scales_of_rows(weight_.numbers),
                  geometry),
              nullptr};
    }
    return {nullptr,
            std::make_unique<PackedConvolution>(pack_convolution(weight_, geometry))};
  }

  QuantizedWeight weight_;
  std::optional<ConvolutionRoute> route_;
  ImageCoding coding_;
  mutable std::mutex mutex_;
  std::map<std::vector<int64_t>, PackedWeight> packed_;  // a place keeps its address
};

}  // namespace

bool can_run_onednn(const QuantizedWeight& weight) {
  const QuantizedLayer& numbers = weight.numbers;
  return weight.use == WeightUse::kConvolution && weight.shape.size() <= 5 &&
         numbers.codes.size(1) <= kernels::kMostInt8Columns &&
         numbers.scales.size(1) == 1 &&
         !(numbers.zero_points.defined() && numbers.zero_points.any().item<bool>()) &&
         numbers.activation != ActivationTreatment::kDynamicPerToken &&
         fault_of_onednn_convolution().empty();
}

ConvolutionRoute choose_route(const QuantizedWeight& weight, int64_t groups) {
  const bool is_depthwise = groups > 1 && weight.shape[1] == 1;
  return (onednn_has_tiles() || is_depthwise) && can_run_onednn(weight)
             ? ConvolutionRoute::kOnednn
             : ConvolutionRoute::kColumns;
}

std::unique_ptr<ConvolutionProduct> make_convolution(const QuantizedWeight& weight,
                                                     ConvolutionRoute route) {
  check_weight(weight);
  if (route == ConvolutionRoute::kOnednn && !can_run_onednn(weight)) {
    refuse(
        weight,
        "onednn cannot run it: " +
            (fault_of_onednn_convolution().empty()
                 ? std::string("a zero point, several scales in a row, a scale for each "
                               "image, a transposed convolution, or more inputs than "
                               "sums of 32 bits allow")
                 : fault_of_onednn_convolution() + " are not exact"));
  }
  return std::make_unique<IntegerConvolution>(weight, route);
}

std::unique_ptr<ConvolutionProduct> make_convolution(const QuantizedWeight& weight) {
  check_weight(weight);
  return std::make_unique<IntegerConvolution>(weight, std::nullopt);
}

}  // namespace sizewise::quantizing

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "quantizing/quantized_weight.hpp"
#include "quantizing/weight_site.hpp"

// Convolutions of codes as their definition says, in double: what the fast ones are held
// against.
namespace sizewise::quantizing::test {

/// A convolution and its input.
struct ConvolutionCase {
  std::string name;
  std::vector<int64_t> input;   ///< {images, channels, sizes...}
  std::vector<int64_t> weight;  ///< the parameter's shape
  ConvolutionGeometry geometry;
};

inline std::ostream& operator<<(std::ostream& out, const ConvolutionCase& subject) {
  return out << subject.name;
}

/// What a weight is made of.
struct WeightKind {
  int bits = 8;
  Scheme scheme = Scheme::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 0;
};

inline bool is_transposed(const ConvolutionCase& subject) {
  return subject.geometry.transposed;
}

/// Codes of random weights over all the values of their bits.
inline QuantizedWeight random_weight(const ConvolutionCase& subject,
                                     const WeightKind& kind) {
  std::mt19937 random(3);
  QuantizedWeight weight;
  weight.name = "conv.weight";
  weight.use = is_transposed(subject) ? WeightUse::kTransposedConvolution
                                      : WeightUse::kConvolution;
  weight.shape = subject.weight;
  const int64_t rows = subject.weight[is_transposed(subject) ? 1 : 0];
  const int64_t columns = c10::multiply_integers(subject.weight) / rows;
  QuantizedLayer& numbers = weight.numbers;
  numbers.bits = kind.bits;
  numbers.scheme = kind.scheme;
  numbers.granularity = kind.granularity;
  numbers.group_size = kind.group_size;
  numbers.codes = at::empty({rows, columns}, at::kChar);
  const auto span = static_cast<uint32_t>(1 << kind.bits);
  auto* codes = numbers.codes.mutable_data_ptr<int8_t>();
  for (int64_t i = 0; i < rows * columns; ++i) {
    codes[i] = static_cast<int8_t>(static_cast<int>(random() % span) -
                                   static_cast<int>(span / 2));
  }
  const bool has_one = kind.granularity == Granularity::kTensor;
  const int64_t groups =
      kind.granularity == Granularity::kGroup ? columns / kind.group_size : 1;
  numbers.scales = at::empty({has_one ? 1 : rows, groups}, at::kFloat);
  auto* scales = numbers.scales.mutable_data_ptr<float>();
  for (int64_t i = 0; i < numbers.scales.numel(); ++i) {
    scales[i] = 0.01F + 0.001F * static_cast<float>(random() % 32);
  }
  if (kind.scheme == Scheme::kAsymmetric) {
    numbers.zero_points = at::empty(numbers.scales.sizes(), at::kChar);
    auto* zeros = numbers.zero_points.mutable_data_ptr<int8_t>();
    for (int64_t i = 0; i < numbers.zero_points.numel(); ++i) {
      zeros[i] = static_cast<int8_t>(static_cast<int>(random() % span) -
                                     static_cast<int>(span / 2));
    }
  }
  return weight;
}

/// Normal values around 0.3, contiguous.
inline at::Tensor random_input(const std::vector<int64_t>& shape, uint32_t seed = 5) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.3F, 1.0F);
  at::Tensor input = at::empty(shape, at::kFloat);
  auto* values = input.mutable_data_ptr<float>();
  for (int64_t i = 0; i < input.numel(); ++i) {
    values[i] = normal(random);
  }
  return input;
}

/// The input as 8-bit codes mean it, in double, by a given scale.
inline at::Tensor coded_values(const at::Tensor& input, float scale, int zero_point) {
  at::Tensor values = at::empty(input.sizes(), at::kDouble);
  const at::Tensor floats = input.contiguous();
  for (int64_t i = 0; i < floats.numel(); ++i) {
    const float code =
        std::nearbyint(floats.const_data_ptr<float>()[i] / scale) + float(zero_point);
    values.mutable_data_ptr<double>()[i] =
        (static_cast<double>(std::clamp(code, 0.0F, 255.0F)) - zero_point) *
        static_cast<double>(scale);
  }
  return values;
}

/// The same by the range of all values, as ONNX's DynamicQuantizeLinear has it.
inline at::Tensor dynamic_values(const at::Tensor& input) {
  const float low = std::min(0.0F, input.min().item<float>());
  const float high = std::max(0.0F, input.max().item<float>());
  const float scale = (high - low) / 255.0F;
  return coded_values(input, scale, static_cast<int>(std::nearbyint(-low / scale)));
}

/// The weight that codes stand for, {rows, columns}, in double.
inline std::vector<double> weight_values(const QuantizedLayer& numbers) {
  const int64_t rows = numbers.codes.size(0);
  const int64_t columns = numbers.codes.size(1);
  const int64_t groups = numbers.scales.size(1);
  std::vector<double> values;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t at =
          (numbers.scales.size(0) == 1 ? 0 : row) * groups + column / (columns / groups);
      const int zero = numbers.zero_points.defined()
                           ? numbers.zero_points.const_data_ptr<int8_t>()[at]
                           : 0;
      const int code = numbers.codes.const_data_ptr<int8_t>()[row * columns + column];
      values.push_back((code - zero) *
                       static_cast<double>(numbers.scales.const_data_ptr<float>()[at]));
    }
  }
  return values;
}

/// Coordinates of a place, counted with the last dimension fastest.
inline std::vector<int64_t> coordinates(int64_t place, at::IntArrayRef sizes) {
  std::vector<int64_t> at(sizes.size());
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    at[axis] = place % sizes[axis];
    place /= sizes[axis];
  }
  return at;
}

/// The place where a window that starts by `start` sees the input through a tap: output
/// and input change roles in a transposed convolution. -1 outside.
inline int64_t seen_place(const std::vector<int64_t>& start,
                          const std::vector<int64_t>& tap,
                          at::IntArrayRef sizes,
                          const ConvolutionGeometry& geometry) {
  int64_t place = 0;
  for (std::size_t axis = 0; axis < start.size(); ++axis) {
    const int64_t at = start[axis] * geometry.stride[axis] - geometry.padding[axis] +
                       tap[axis] * geometry.dilation[axis];
    if (at < 0 || at >= sizes[axis]) {
      return -1;
    }
    place = place * sizes[axis] + at;
  }
  return place;
}

/// @param values {images, channels, sizes...} double
/// @param absolute whether all weights count by their absolute values, as bounds need
/// @param shape of the output
/// @returns sums without bias, double
inline at::Tensor reference_convolution(const at::Tensor& values,
                                        const QuantizedWeight& weight,
                                        const ConvolutionGeometry& geometry,
                                        at::IntArrayRef shape,
                                        bool absolute = false) {
  const bool transposed = geometry.transposed;
  const std::vector<double> matrix = weight_values(weight.numbers);
  const at::IntArrayRef kernel = at::IntArrayRef(weight.shape).slice(2);
  const int64_t taps = c10::multiply_integers(kernel);
  const int64_t columns = weight.numbers.codes.size(1);
  const int64_t group_inputs = values.size(1) / geometry.groups;
  const int64_t group_outputs = shape[1] / geometry.groups;
  const int64_t inputs = c10::multiply_integers(values.sizes().slice(2));
  const int64_t outputs = c10::multiply_integers(shape.slice(2));
  // Windows stand on the output's places, of a transposed convolution on the input's.
  const at::IntArrayRef windows = transposed ? values.sizes().slice(2) : shape.slice(2);
  const at::IntArrayRef seen = transposed ? shape.slice(2) : values.sizes().slice(2);
  const at::Tensor output = at::zeros(shape, at::kDouble);
  const auto* from = values.const_data_ptr<double>();
  auto* to = output.mutable_data_ptr<double>();
  for (int64_t window = 0; window < c10::multiply_integers(windows); ++window) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t place = seen_place(
          coordinates(window, windows), coordinates(tap, kernel), seen, geometry);
      if (place < 0) {
        continue;
      }
      const int64_t source = transposed ? window : place;
      const int64_t target = transposed ? place : window;
      for (int64_t image = 0; image < shape[0]; ++image) {
        for (int64_t o = 0; o < shape[1]; ++o) {
          for (int64_t i = 0; i < group_inputs; ++i) {
            const int64_t input = o / group_outputs * group_inputs + i;
            const int64_t row = transposed ? o % group_outputs : o;
            const int64_t column = (transposed ? input : i) * taps + tap;
            const double factor =
                matrix[static_cast<std::size_t>(row * columns + column)];
            to[(image * shape[1] + o) * outputs + target] +=
                from[(image * values.size(1) + input) * inputs + source] *
                (absolute ? std::abs(factor) : factor);
          }
        }
      }
    }
  }
  return output;
}

/// Largest |output - reference| over the largest |reference|, or over 1 where that is 0.
inline double relative_error(const at::Tensor& output, const at::Tensor& reference) {
  const double most = reference.abs().max().item<double>();
  const double error = (output.to(at::kDouble) - reference).abs().max().item<double>();
  return std::isnan(error) ? INFINITY : error / (most == 0.0 ? 1.0 : most);
}

}  // namespace sizewise::quantizing::test

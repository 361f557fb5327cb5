#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/convolution.h>
#include <ATen/ops/full.h>

#include "quantizing/convolution_reference.hpp"

// The convolutions that are tried.
namespace sizewise::quantizing::test {

inline constexpr auto kDynamic = ActivationTreatment::kDynamicPerTensor;

/// An ordinary convolution.
inline ConvolutionCase plain(const std::string& name,
                             std::vector<int64_t> input,
                             std::vector<int64_t> weight,
                             std::vector<int64_t> stride,
                             std::vector<int64_t> padding,
                             std::vector<int64_t> dilation,
                             int64_t groups = 1) {
  const std::vector<int64_t> none(stride.size(), 0);
  return {
      name,
      std::move(input),
      std::move(weight),
      {std::move(stride), std::move(padding), std::move(dilation), none, false, groups}};
}

/// The same, transposed.
inline ConvolutionCase transposed(ConvolutionCase subject,
                                  std::vector<int64_t> output_padding) {
  subject.geometry.transposed = true;
  subject.geometry.output_padding = std::move(output_padding);
  return subject;
}

/// One of each kind, small enough for the reference.
inline std::vector<ConvolutionCase> all_cases() {
  return {
      plain("1-D", {3, 5, 37}, {7, 5, 3}, {1}, {1}, {1}),
      plain("1-D, stride 3, dilation 2", {1, 16, 41}, {20, 16, 5}, {3}, {4}, {2}),
      plain("1-D of groups", {2, 12, 19}, {24, 3, 4}, {2}, {0}, {1}, 4),
      plain("2-D 3x3", {2, 16, 9, 11}, {33, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
      plain(
          "2-D 3x3 of 70 outputs", {1, 64, 6, 7}, {70, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
      plain("2-D 1x1", {3, 20, 5, 5}, {40, 20, 1, 1}, {1, 1}, {0, 0}, {1, 1}),
      plain("2-D 1x1, stride 2", {1, 20, 5, 5}, {8, 20, 1, 1}, {2, 2}, {0, 0}, {1, 1}),
      plain(
          "2-D 7x7 of 3 channels", {1, 3, 23, 21}, {16, 3, 7, 7}, {2, 2}, {3, 3}, {1, 1}),
      plain("2-D uneven", {2, 6, 13, 10}, {5, 6, 2, 5}, {3, 1}, {0, 4}, {1, 2}),
      plain("2-D of one channel", {2, 1, 8, 8}, {4, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}),
      plain("2-D of groups", {2, 32, 8, 8}, {64, 8, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 4),
      plain(
          "2-D of small groups", {1, 24, 7, 6}, {12, 4, 3, 3}, {1, 2}, {1, 1}, {2, 1}, 6),
      plain("depthwise", {2, 40, 9, 8}, {40, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 40),
      plain("depthwise, stride 2",
            {1, 17, 9, 9},
            {17, 1, 5, 5},
            {2, 2},
            {2, 2},
            {1, 1},
            17),
      plain("depthwise of 3 outputs",
            {1, 6, 9, 9},
            {18, 1, 3, 3},
            {1, 1},
            {1, 1},
            {2, 2},
            6),
      plain("3-D", {2, 5, 4, 6, 5}, {9, 5, 3, 2, 3}, {1, 2, 1}, {1, 0, 2}, {1, 1, 2}),
      plain("3-D of groups",
            {1, 8, 4, 5, 6},
            {8, 2, 2, 3, 3},
            {1, 1, 1},
            {0, 1, 1},
            {1, 1, 1},
            4),
      transposed(plain("transposed 1-D", {2, 6, 9}, {6, 5, 4}, {3}, {1}, {1}), {2}),
      transposed(
          plain("transposed 2-D", {2, 8, 5, 6}, {8, 10, 3, 3}, {2, 2}, {1, 1}, {1, 1}),
          {1, 1}),
      transposed(plain("transposed 2-D, stride above kernel",
                       {1, 4, 4, 3},
                       {4, 3, 2, 2},
                       {3, 4},
                       {0, 0},
                       {1, 1}),
                 {0, 2}),
      transposed(plain("transposed 2-D of groups, dilation",
                       {1, 12, 5, 5},
                       {12, 5, 3, 3},
                       {2, 1},
                       {1, 2},
                       {2, 3},
                       3),
                 {0, 0}),
      transposed(plain("transposed depthwise",
                       {3, 20, 4, 4},
                       {20, 1, 4, 4},
                       {2, 2},
                       {1, 1},
                       {1, 1},
                       20),
                 {0, 0}),
      transposed(plain("transposed 3-D",
                       {1, 4, 3, 3, 4},
                       {4, 6, 2, 3, 3},
                       {1, 2, 2},
                       {0, 1, 1},
                       {1, 1, 1}),
                 {0, 1, 0}),
  };
}

/// A random weight; kStatic has scale 0.02 and zero point 90.
inline QuantizedWeight made(const ConvolutionCase& subject,
                            const WeightKind& kind,
                            ActivationTreatment activation) {
  QuantizedWeight weight = random_weight(subject, kind);
  weight.numbers.activation = activation;
  if (activation == ActivationTreatment::kStatic) {
    weight.numbers.activation_scale = 0.02;
    weight.numbers.activation_zero_point = 90;
  }
  return weight;
}

inline at::Tensor bias_of(const ConvolutionCase& subject) {
  const int64_t outputs = subject.geometry.transposed
                              ? subject.weight[1] * subject.geometry.groups
                              : subject.weight[0];
  return random_input({outputs}, 7);
}

/// The shape that LibTorch gives the output.
inline std::vector<int64_t> output_shape(const ConvolutionCase& subject,
                                         const at::Tensor& input) {
  return at::convolution(input,
                         at::full(subject.weight, 1.0),
                         std::nullopt,
                         subject.geometry.stride,
                         subject.geometry.padding,
                         subject.geometry.dilation,
                         subject.geometry.transposed,
                         subject.geometry.output_padding,
                         subject.geometry.groups)
      .sizes()
      .vec();
}

/// The case "2-D 3x3": 2 images of 16 channels, 33 outputs.
inline ConvolutionCase usual_case() {
  return all_cases()[3];
}

}  // namespace sizewise::quantizing::test

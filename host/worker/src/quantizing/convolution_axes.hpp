#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <c10/util/ArrayRef.h>

#include "quantizing/weight_site.hpp"

// Where the outputs of a convolution take their inputs from, one spatial dimension (axis)
// at a time.
namespace sizewise::quantizing {

/// Outputs first_output, first_output + output_step, ... of an axis, which see the same
/// taps (places of the kernel): number t of them sees the input at
/// t * source_step + offsets[i] through taps[i].
///
/// An ordinary convolution has one phase. A transposed one has a phase for each remainder
/// of the output's place by the stride: so it runs as convolutions of stride 1, without a
/// product that meets nothing and without outputs that are added to twice.
struct AxisPhase {
  int64_t first_output = 0;
  int64_t output_step = 1;
  int64_t source_step = 1;
  std::vector<int64_t> taps;
  std::vector<int64_t> offsets;

  /// How many of an axis with so many outputs.
  [[nodiscard]] int64_t count(int64_t output_size) const {
    return output_size <= first_output
               ? 0
               : (output_size - first_output + output_step - 1) / output_step;
  }
};

/// Places around the input that some output sees, of one axis.
struct AxisFrame {
  int64_t low = 0;
  int64_t high = 0;
};

/// Refuses a geometry that no convolution has: another number of dimensions than the
/// kernel's, a stride, dilation or number of groups below 1, a padding below 0, channels
/// that the groups do not divide.
/// @param weight_shape the parameter's
/// @throws Error kQuantization naming the layer
void check_geometry(const std::string& name,
                    c10::IntArrayRef weight_shape,
                    const ConvolutionGeometry& geometry);

/// The spatial sizes of the output.
/// @param input the spatial sizes of the input; one of 0 gives an output of 0 where
///   padding makes nothing of it
/// @throws Error kQuantization naming the layer where the kernel is larger than the input
[[nodiscard]] std::vector<int64_t> output_sizes(const std::string& name,
                                                c10::IntArrayRef input,
                                                c10::IntArrayRef kernel,
                                                const ConvolutionGeometry& geometry);

/// The phases of an axis.
/// @param axis which of the geometry's
[[nodiscard]] std::vector<AxisPhase> phases_of(int64_t kernel,
                                               const ConvolutionGeometry& geometry,
                                               std::size_t axis);

/// The frame that all phases of an axis need.
[[nodiscard]] AxisFrame frame_of(const std::vector<AxisPhase>& phases,
                                 int64_t input_size,
                                 int64_t output_size);

}  // namespace sizewise::quantizing

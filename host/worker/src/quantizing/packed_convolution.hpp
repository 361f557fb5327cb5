#pragma once

#include <cstdint>
#include <vector>

#include "kernels/int8_product.hpp"
#include "quantizing/convolution_axes.hpp"
#include "quantizing/quantized_weight.hpp"

namespace sizewise::quantizing {

/// Neighbouring columns of a product: channels channel, channel + 1, ... of the input
/// through one tap.
struct ColumnRun {
  int64_t tap = 0;
  int64_t channel = 0;
  int64_t count = 0;
};

/// Columns that share a scale in each row, with their weights.
struct ConvolutionSegment {
  kernels::Int8Weights weights;
  std::vector<ColumnRun> runs;
};

/// What outputs of one phase of each axis take.
struct ConvolutionPhase {
  std::vector<AxisPhase> axes;
  /// Taps of the axes for each tap of the phase, [taps, axes]: places in AxisPhase::taps.
  std::vector<std::vector<std::size_t>> taps;
  /// Of each unit of channels; the products of its segments are added.
  std::vector<std::vector<ConvolutionSegment>> units;
};

/// A convolution's weight, packed for the products of kernels/int8_product.hpp.
///
/// Neighbouring groups with few outputs make one unit, whose weights outside of a group
/// are 0: a product for 16 channels costs what one for a single channel costs.
struct PackedConvolution {
  int64_t units = 1;
  int64_t unit_outputs = 0;
  std::vector<ConvolutionPhase> phases;

  [[nodiscard]] int64_t outputs() const { return units * unit_outputs; }
  /// Bytes of memory held.
  [[nodiscard]] int64_t bytes() const;
};

/// @param weight with codes of 8 bits or fewer
/// @param geometry that check_geometry() accepts
[[nodiscard]] PackedConvolution pack_convolution(const QuantizedWeight& weight,
                                                 const ConvolutionGeometry& geometry);

}  // namespace sizewise::quantizing

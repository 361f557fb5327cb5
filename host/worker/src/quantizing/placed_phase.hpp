#pragma once

#include <cstdint>
#include <vector>

#include "quantizing/coded_images.hpp"
#include "quantizing/packed_convolution.hpp"

namespace sizewise::quantizing {

/// Neighbouring codes that go to neighbouring columns.
struct Copy {
  int64_t source;  ///< from where the row's window starts
  int64_t column;
  int64_t count;
};

/// A segment for images of one size.
struct PlacedSegment {
  const kernels::Int8Weights* weights;
  std::vector<Copy> copies;
};

/// A phase for images of one size.
struct PlacedPhase {
  std::vector<std::vector<PlacedSegment>> units;
  std::vector<int64_t> counts;  ///< outputs of each axis
  /// In codes, from one output of an axis to the next.
  std::vector<int64_t> source_steps;
  std::vector<int64_t> output_steps;  ///< in places
  int64_t first_output = 0;           ///< its place
  int64_t rows = 1;                   ///< outputs of an image
  int64_t row_bytes = 0;              ///< of the longest row
  bool is_whole = false;              ///< all outputs of an image, in order
};

/// @param phase is borrowed
/// @param output_sizes the spatial sizes of the output
[[nodiscard]] PlacedPhase placed(const ConvolutionPhase& phase,
                                 const CodedImages& coded,
                                 const std::vector<int64_t>& output_sizes);

}  // namespace sizewise::quantizing

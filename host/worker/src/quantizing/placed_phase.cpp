#include "quantizing/placed_phase.hpp"

#include <algorithm>

namespace sizewise::quantizing {
namespace {

/// From one place to the next of each axis; the last axis has neighbours `step` apart.
std::vector<int64_t> strides_of(const std::vector<int64_t>& sizes, int64_t step) {
  std::vector<int64_t> strides(sizes.size());
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= sizes[axis];
  }
  return strides;
}

std::vector<Copy> copies_of(const std::vector<ColumnRun>& runs,
                            const std::vector<int64_t>& tap_offsets) {
  std::vector<Copy> copies;
  int64_t column = 0;
  for (const ColumnRun& run : runs) {
    const int64_t source = tap_offsets[static_cast<std::size_t>(run.tap)] + run.channel;
    if (!copies.empty() && copies.back().source + copies.back().count == source) {
      copies.back().count += run.count;
    } else {
      copies.push_back({source, column, run.count});
    }
    column += run.count;
  }
  return copies;
}

}  // namespace

PlacedPhase placed(const ConvolutionPhase& phase,
                   const CodedImages& coded,
                   const std::vector<int64_t>& output_sizes) {
  PlacedPhase result;
  const std::vector<int64_t> strides = strides_of(coded.framed_sizes, coded.channels);
  const std::vector<int64_t> output_strides = strides_of(output_sizes, 1);
  result.is_whole = true;
  for (std::size_t axis = 0; axis < phase.axes.size(); ++axis) {
    const AxisPhase& of_axis = phase.axes[axis];
    result.counts.push_back(of_axis.count(output_sizes[axis]));
    result.rows *= result.counts.back();
    result.source_steps.push_back(of_axis.source_step * strides[axis]);
    result.output_steps.push_back(of_axis.output_step * output_strides[axis]);
    result.first_output += of_axis.first_output * output_strides[axis];
    result.is_whole = result.is_whole && of_axis.output_step == 1;
  }
  std::vector<int64_t> tap_offsets;
  for (const std::vector<std::size_t>& tap : phase.taps) {
    int64_t offset = 0;
    for (std::size_t axis = 0; axis < tap.size(); ++axis) {
      offset +=
          (phase.axes[axis].offsets[tap[axis]] + coded.frame[axis].low) * strides[axis];
    }
    tap_offsets.push_back(offset);
  }
  for (const std::vector<ConvolutionSegment>& segments : phase.units) {
    result.units.emplace_back();
    for (const ConvolutionSegment& segment : segments) {
      result.units.back().push_back(
          {&segment.weights, copies_of(segment.runs, tap_offsets)});
      result.row_bytes =
          std::max(result.row_bytes, kernels::padded_columns(segment.weights.columns()));
    }
  }
  return result;
}

}  // namespace sizewise::quantizing

#include "quantizing/convolution_axes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

namespace sizewise::quantizing {
namespace {

void check_axes(const std::string& name,
                const char* what,
                const std::vector<int64_t>& numbers,
                std::size_t axes,
                int64_t least) {
  const bool has_right_count = numbers.size() == axes;
  if (!has_right_count || std::any_of(numbers.begin(), numbers.end(), [&](int64_t n) {
        return n < least;
      })) {
    throw Error(
        ErrorCode::kQuantization,
        fmt::format(
            "layer '{}': a convolution with {} [{}] cannot run; allowed: {} numbers "
            "of {} or more",
            name,
            what,
            fmt::join(numbers, ", "),
            axes,
            least));
  }
}

/// @returns how far the last place stands from the first that a kernel can take
int64_t last_place(int64_t input,
                   int64_t kernel,
                   const ConvolutionGeometry& geometry,
                   std::size_t axis) {
  return input + 2 * geometry.padding[axis] - geometry.dilation[axis] * (kernel - 1) - 1;
}

int64_t transposed_size(int64_t input,
                        int64_t kernel,
                        const ConvolutionGeometry& geometry,
                        std::size_t axis) {
  if (input == 0) {
    return 0;
  }
  return (input - 1) * geometry.stride[axis] - 2 * geometry.padding[axis] +
         geometry.dilation[axis] * (kernel - 1) + geometry.output_padding[axis] + 1;
}

}  // namespace

void check_geometry(const std::string& name,
                    c10::IntArrayRef weight_shape,
                    const ConvolutionGeometry& geometry) {
  const std::size_t axes = weight_shape.size() - 2;
  check_axes(name, "stride", geometry.stride, axes, 1);
  check_axes(name, "dilation", geometry.dilation, axes, 1);
  check_axes(name, "padding", geometry.padding, axes, 0);
  if (geometry.transposed) {
    check_axes(name, "output padding", geometry.output_padding, axes, 0);
  }
  if (geometry.groups < 1 || weight_shape[0] % geometry.groups != 0) {
    throw Error(ErrorCode::kQuantization,
                fmt::format("layer '{}': {} groups do not divide {} channels",
                            name,
                            geometry.groups,
                            weight_shape[0]));
  }
}

std::vector<int64_t> output_sizes(const std::string& name,
                                  c10::IntArrayRef input,
                                  c10::IntArrayRef kernel,
                                  const ConvolutionGeometry& geometry) {
  std::vector<int64_t> sizes;
  for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
    int64_t size = 0;
    if (geometry.transposed) {
      size = transposed_size(input[axis], kernel[axis], geometry, axis);
    } else {
      const int64_t last = last_place(input[axis], kernel[axis], geometry, axis);
      size = last < 0 ? last : last / geometry.stride[axis] + 1;
    }
    if (size < 0 && input[axis] != 0) {
      throw Error(
          ErrorCode::kQuantization,
          fmt::format("layer '{}': an input of size [{}] is too small for a kernel of "
                      "size [{}] with padding [{}] and dilation [{}]",
                      name,
                      fmt::join(input, ", "),
                      fmt::join(kernel, ", "),
                      fmt::join(geometry.padding, ", "),
                      fmt::join(geometry.dilation, ", ")));
    }
    sizes.push_back(std::max<int64_t>(size, 0));
  }
  return sizes;
}

std::vector<AxisPhase> phases_of(int64_t kernel,
                                 const ConvolutionGeometry& geometry,
                                 std::size_t axis) {
  const int64_t stride = geometry.stride[axis];
  const int64_t padding = geometry.padding[axis];
  const int64_t dilation = geometry.dilation[axis];
  std::vector<AxisPhase> phases(
      static_cast<std::size_t>(geometry.transposed ? stride : 1));
  for (std::size_t i = 0; i < phases.size(); ++i) {
    AxisPhase& phase = phases[i];
    if (!geometry.transposed) {
      phase.source_step = stride;
    } else {
      phase.first_output = static_cast<int64_t>(i);
      phase.output_step = stride;
    }
    for (int64_t tap = 0; tap < kernel; ++tap) {
      // Input i of a transposed convolution adds to output i stride + tap dilation -
      // padding.
      const int64_t reach = phase.first_output + padding - tap * dilation;
      if (!geometry.transposed) {
        phase.taps.push_back(tap);
        phase.offsets.push_back(tap * dilation - padding);
      } else if (reach % stride == 0) {
        phase.taps.push_back(tap);
        phase.offsets.push_back(reach / stride);
      }
    }
  }
  return phases;
}

AxisFrame frame_of(const std::vector<AxisPhase>& phases,
                   int64_t input_size,
                   int64_t output_size) {
  AxisFrame frame;
  for (const AxisPhase& phase : phases) {
    const int64_t count = phase.count(output_size);
    if (count == 0) {
      continue;
    }
    for (const int64_t offset : phase.offsets) {
      const int64_t last = (count - 1) * phase.source_step + offset;
      frame.low = std::max(frame.low, -offset);
      frame.high = std::max(frame.high, last - (input_size - 1));
    }
  }
  return frame;
}

}  // namespace sizewise::quantizing

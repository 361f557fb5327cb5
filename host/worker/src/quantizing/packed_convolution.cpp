#include "quantizing/packed_convolution.hpp"

#include <algorithm>
#include <map>

namespace sizewise::quantizing {
namespace {

// A product computes at least so many channels at a time.
constexpr int64_t kLeastOutputs = 16;

/// A column of a unit's product.
struct Column {
  int64_t tap;
  int64_t channel;
};

/// How many neighbouring groups make a unit.
int64_t groups_of_unit(int64_t groups, int64_t group_outputs) {
  int64_t most = 1;
  for (int64_t count = 2; count <= groups && count * group_outputs <= kLeastOutputs;
       ++count) {
    most = groups % count == 0 ? count : most;
  }
  return most;
}

/// Reads the weight's matrix and packs parts of it.
class Packer {
 public:
  Packer(const QuantizedWeight& weight, const ConvolutionGeometry& geometry)
      : numbers_(weight.numbers),
        transposed_(geometry.transposed),
        codes_(weight.numbers.codes.contiguous()),
        scales_(weight.numbers.scales.contiguous()),
        columns_(codes_.size(1)),
        scale_columns_(std::max<int64_t>(columns_ / scales_.size(1), 1)) {
    if (numbers_.zero_points.defined()) {
      zero_points_ = numbers_.zero_points.contiguous();
    }
    const int64_t groups = geometry.groups;
    const int64_t channels = transposed_ ? weight.shape[0] : weight.shape[1] * groups;
    group_channels_ = channels / groups;
    group_outputs_ = transposed_ ? weight.shape[1] : weight.shape[0] / groups;
    unit_groups_ = groups_of_unit(groups, group_outputs_);
    units_ = groups / unit_groups_;
    for (std::size_t axis = 2; axis < weight.shape.size(); ++axis) {
      kernel_.push_back(weight.shape[axis]);
      kernel_places_ *= weight.shape[axis];
    }
  }

  [[nodiscard]] PackedConvolution packed(const ConvolutionGeometry& geometry) const {
    PackedConvolution result;
    result.units = units_;
    result.unit_outputs = unit_groups_ * group_outputs_;
    std::vector<std::vector<AxisPhase>> of_axes;
    std::size_t count = 1;
    for (std::size_t axis = 0; axis < kernel_.size(); ++axis) {
      of_axes.push_back(phases_of(kernel_[axis], geometry, axis));
      count *= of_axes.back().size();
    }
    for (std::size_t i = 0; i < count; ++i) {
      ConvolutionPhase phase;
      std::size_t rest = i;
      for (const std::vector<AxisPhase>& phases : of_axes) {
        phase.axes.push_back(phases[rest % phases.size()]);
        rest /= phases.size();
      }
      phase.taps = taps_of(phase.axes);
      for (int64_t unit = 0; unit < units_; ++unit) {
        phase.units.push_back(segments(phase, unit));
      }
      result.phases.push_back(std::move(phase));
    }
    return result;
  }

 private:
  /// All combinations of the axes' taps, the last axis fastest.
  static std::vector<std::vector<std::size_t>> taps_of(
      const std::vector<AxisPhase>& axes) {
    std::vector<std::vector<std::size_t>> taps{{}};
    for (const AxisPhase& axis : axes) {
      std::vector<std::vector<std::size_t>> longer;
      for (const std::vector<std::size_t>& tap : taps) {
        for (std::size_t i = 0; i < axis.taps.size(); ++i) {
          longer.push_back(tap);
          longer.back().push_back(i);
        }
      }
      taps = std::move(longer);
    }
    return taps;
  }

  /// The place in the kernel that a tap of a phase stands for.
  [[nodiscard]] int64_t kernel_place(const ConvolutionPhase& phase, int64_t tap) const {
    int64_t place = 0;
    for (std::size_t axis = 0; axis < kernel_.size(); ++axis) {
      const std::size_t i = phase.taps[static_cast<std::size_t>(tap)][axis];
      place = place * kernel_[axis] + phase.axes[axis].taps[i];
    }
    return place;
  }

  /// Where the matrix has a channel's weight, in each row of the channel's group.
  [[nodiscard]] int64_t matrix_column(int64_t channel, int64_t place) const {
    const int64_t input = transposed_ ? channel : channel % group_channels_;
    return input * kernel_places_ + place;
  }

  /// The row of an output, counted over all groups.
  [[nodiscard]] int64_t matrix_row(int64_t output) const {
    return transposed_ ? output % group_outputs_ : output;
  }

  template <class T>
  [[nodiscard]] static T parameter(const at::Tensor& tensor, int64_t row, int64_t group) {
    const int64_t at = tensor.size(0) == 1 ? 0 : row;
    return tensor.const_data_ptr<T>()[at * tensor.size(1) + group];
  }

  [[nodiscard]] int8_t zero_point(int64_t row, int64_t group) const {
    return zero_points_.defined() ? parameter<int8_t>(zero_points_, row, group)
                                  : int8_t{0};
  }

  [[nodiscard]] std::vector<ConvolutionSegment> segments(const ConvolutionPhase& phase,
                                                         int64_t unit) const {
    std::map<int64_t, std::vector<Column>> columns;
    const int64_t channels = unit_groups_ * group_channels_;
    for (int64_t tap = 0; tap < static_cast<int64_t>(phase.taps.size()); ++tap) {
      const int64_t place = kernel_place(phase, tap);
      for (int64_t i = unit * channels; i < (unit + 1) * channels; ++i) {
        columns[matrix_column(i, place) / scale_columns_].push_back({tap, i});
      }
    }
    std::vector<ConvolutionSegment> made;
    for (const auto& [group, of_group] : columns) {
      made.push_back({packed_weights(phase, unit, group, of_group), runs_of(of_group)});
    }
    return made;
  }

  static std::vector<ColumnRun> runs_of(const std::vector<Column>& columns) {
    std::vector<ColumnRun> runs;
    for (const Column& column : columns) {
      if (!runs.empty() && runs.back().tap == column.tap &&
          runs.back().channel + runs.back().count == column.channel) {
        ++runs.back().count;
      } else {
        runs.push_back({column.tap, column.channel, 1});
      }
    }
    return runs;
  }

  [[nodiscard]] kernels::Int8Weights packed_weights(
      const ConvolutionPhase& phase,
      int64_t unit,
      int64_t scale_group,
      const std::vector<Column>& columns) const {
    std::vector<int64_t> places;
    for (const Column& column : columns) {
      places.push_back(matrix_column(column.channel, kernel_place(phase, column.tap)));
    }
    const int64_t outputs = unit_groups_ * group_outputs_;
    const auto* codes = codes_.const_data_ptr<int8_t>();
    std::vector<int8_t> packed;
    packed.reserve(static_cast<std::size_t>(outputs) * columns.size());
    std::vector<float> scale;
    std::vector<int32_t> zero;
    for (int64_t output = unit * outputs; output < (unit + 1) * outputs; ++output) {
      const int64_t row = matrix_row(output);
      const int64_t group = output / group_outputs_;
      scale.push_back(parameter<float>(scales_, row, scale_group));
      zero.push_back(zero_point(row, scale_group));
      for (std::size_t i = 0; i < columns.size(); ++i) {
        // The zero point stands for the weight 0 between groups that share a unit.
        packed.push_back(columns[i].channel / group_channels_ == group
                             ? codes[row * columns_ + places[i]]
                             : static_cast<int8_t>(zero.back()));
      }
    }
    return {packed, outputs, static_cast<int64_t>(columns.size()), scale, zero};
  }

  const QuantizedLayer& numbers_;
  bool transposed_;
  at::Tensor codes_;
  at::Tensor scales_;
  at::Tensor zero_points_;
  int64_t columns_;
  int64_t scale_columns_;  // neighbouring columns of the matrix under one scale
  int64_t group_channels_ = 0;
  int64_t group_outputs_ = 0;
  int64_t unit_groups_ = 1;
  int64_t units_ = 1;
  std::vector<int64_t> kernel_;
  int64_t kernel_places_ = 1;
};

}  // namespace

int64_t PackedConvolution::bytes() const {
  int64_t bytes = 0;
  for (const ConvolutionPhase& phase : phases) {
    for (const std::vector<ConvolutionSegment>& segments : phase.units) {
      for (const ConvolutionSegment& segment : segments) {
        bytes += segment.weights.bytes() +
                 static_cast<int64_t>(segment.runs.size() * sizeof(ColumnRun));
      }
    }
  }
  return bytes;
}

PackedConvolution pack_convolution(const QuantizedWeight& weight,
                                   const ConvolutionGeometry& geometry) {
  return Packer(weight, geometry).packed(geometry);
}

}  // namespace sizewise::quantizing

#include "quantizing/packed_weights.hpp"

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "kernels/int4_product.hpp"
#include "kernels/int8_product.hpp"
#include "kernels/processor_level.hpp"
#include "quantizing/onednn_linear.hpp"
#include "quantizing/parallel_parts.hpp"

namespace sizewise::quantizing {
namespace {

using kernels::ChannelRange;
using kernels::CodedRows;

template <class T>
std::span<const T> elements(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<T>(), static_cast<std::size_t>(tensor.numel())};
}

std::string level_name() {
  return std::string(kernels::name_of(kernels::used_level()));
}

/// Calls `work` with the channels of each part.
void by_channels(int64_t channels,
                 int64_t parts,
                 c10::function_ref<void(ChannelRange)> work) {
  run_parts(parts, [&](int64_t part) {
    work(kernels::part_of_channels(channels, part, parts));
  });
}

/// Codes of some neighbouring columns {N, count}.
kernels::Int8Weights pack_bytes(const at::Tensor& codes,
                                const at::Tensor& scales,
                                const at::Tensor& zero_points) {
  const at::Tensor plain = codes.contiguous();
  const at::Tensor scale = scales.reshape({-1}).contiguous();
  std::vector<int32_t> zeros;
  if (zero_points.defined()) {
    const at::Tensor all = zero_points.reshape({-1}).contiguous();
    const auto values = elements<int8_t>(all);
    zeros.assign(values.begin(), values.end());
  }
  return {elements<int8_t>(plain),
          plain.size(0),
          plain.size(1),
          elements<float>(scale),
          zeros};
}

/// Bytes with one scale for each channel, or for all.
class ByteWeights final : public PackedWeights {
 public:
  explicit ByteWeights(const QuantizedLayer& numbers)
      : weights_(pack_bytes(numbers.codes, numbers.scales, numbers.zero_points)),
        scale_(numbers.scales.reshape({-1}).expand({weights_.channels()}).contiguous()) {}

  void multiply(const CodedRows& x, const float* bias, float* out) const override {
    const int64_t operations = x.rows * weights_.channels() * weights_.columns();
    if (fits_onednn() && onednn_pays(x.rows, operations) && OnednnLinear::takes(x)) {
      onednn().multiply(x, scale_.const_data_ptr<float>(), bias, out);
      return;
    }
    const int64_t channels = weights_.channels();
    by_channels(channels, parts_of_work(operations), [&](ChannelRange range) {
      kernels::multiply(weights_, x, range, bias, out, channels);
    });
  }

  void decode(ChannelRange range, float* out) const override {
    unpack_tile(weights_, range, out, weights_.columns());
  }

  [[nodiscard]] std::string route() const override {
    const std::string own = "int8 " + level_name();
    const std::string other = fits_onednn() ? onednn_route() : "";
    return other.empty() ? own : fmt::format("{}, {}", own, other);
  }

  [[nodiscard]] int64_t bytes() const override {
    const std::scoped_lock lock(mutex_);
    return weights_.bytes() + static_cast<int64_t>(scale_.nbytes()) +
           (onednn_ == nullptr ? 0 : onednn_->bytes());
  }

 private:
  /// It corrects no zero points of weights, and sums 32 bits.
  [[nodiscard]] bool fits_onednn() const {
    return !weights_.has_zero_points() && weights_.columns() <= kernels::kMostInt8Columns;
  }

  /// Made at the first batch that is large enough: most layers never see one.
  const OnednnLinear& onednn() const {
    const std::scoped_lock lock(mutex_);
    if (onednn_ == nullptr) {
      onednn_ = std::make_unique<OnednnLinear>(
          weights_.codes(), weights_.channels(), weights_.columns());
    }
    return *onednn_;
  }

  kernels::Int8Weights weights_;
  at::Tensor scale_;  // {N}
  mutable std::mutex mutex_;
  mutable std::unique_ptr<OnednnLinear> onednn_;
};

/// Bytes with a scale for each group of columns: every group is a product of its own.
class GroupedByteWeights final : public PackedWeights {
 public:
  explicit GroupedByteWeights(const QuantizedLayer& numbers)
      : channels_(numbers.codes.size(0)),
        columns_(numbers.codes.size(1)),
        group_size_(numbers.group_size) {
    for (int64_t group = 0; group < columns_ / group_size_; ++group) {
      const at::Tensor zeros = numbers.zero_points.defined()
                                   ? numbers.zero_points.select(1, group)
                                   : at::Tensor();
      groups_.push_back(
          pack_bytes(numbers.codes.narrow(1, group * group_size_, group_size_),
                     numbers.scales.select(1, group),
                     zeros));
    }
  }

  void multiply(const CodedRows& x, const float* bias, float* out) const override {
    const std::vector<int32_t> sums = sums_of_groups(x);
    const int64_t operations = x.rows * channels_ * columns_;
    by_channels(channels_, parts_of_work(operations), [&](ChannelRange range) {
      multiply_part(x, sums, range, bias, out);
    });
  }

  void decode(ChannelRange range, float* out) const override {
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      unpack_tile(groups_[group],
                  range,
                  out + static_cast<int64_t>(group) * group_size_,
                  columns_);
    }
  }

  [[nodiscard]] std::string route() const override {
    return "int8 " + level_name() + " by groups";
  }

  [[nodiscard]] int64_t bytes() const override {
    int64_t bytes = 0;
    for (const kernels::Int8Weights& group : groups_) {
      bytes += group.bytes();
    }
    return bytes;
  }

 private:
  static constexpr int64_t kRowsAtOnce = 32;

  /// Of codes, [groups, rows]; nothing where no weight has a zero point.
  [[nodiscard]] std::vector<int32_t> sums_of_groups(const CodedRows& x) const {
    std::vector<int32_t> sums;
    if (std::none_of(groups_.begin(), groups_.end(), [](const auto& group) {
          return group.has_zero_points();
        })) {
      return sums;
    }
    const kernels::LevelFunctions& level = kernels::used_functions();
    sums.reserve(groups_.size() * static_cast<std::size_t>(x.rows));
    for (int64_t first = 0; first < columns_; first += group_size_) {
      for (int64_t row = 0; row < x.rows; ++row) {
        sums.push_back(level.code_sum(x.codes + row * x.stride + first, group_size_));
      }
    }
    return sums;
  }

  /// Blocks of 64 channels one by one, so that their totals stay in a core's cache.
  void multiply_part(const CodedRows& x,
                     const std::vector<int32_t>& sums,
                     ChannelRange range,
                     const float* bias,
                     float* out) const {
    std::vector<float> product(static_cast<std::size_t>(kRowsAtOnce * channels_));
    for (int64_t first = range.first; first < range.last;
         first += kernels::kBlockChannels) {
      const ChannelRange block{first,
                               std::min(range.last, first + kernels::kBlockChannels)};
      for (int64_t row = 0; row < x.rows; row += kRowsAtOnce) {
        multiply_block(x, sums, row, block, bias, product.data(), out);
      }
    }
  }

  void multiply_block(const CodedRows& x,
                      const std::vector<int32_t>& sums,
                      int64_t first_row,
                      ChannelRange block,
                      const float* bias,
                      float* product,
                      float* out) const {
    const int64_t rows = std::min(kRowsAtOnce, x.rows - first_row);
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      CodedRows part = x;
      part.codes += first_row * x.stride + static_cast<int64_t>(group) * group_size_;
      part.rows = rows;
      part.columns = group_size_;
      part.scale += first_row * x.parameter_step();
      part.zero_point += first_row * x.parameter_step();
      part.sum = sums.empty()
                     ? nullptr
                     : sums.data() + static_cast<int64_t>(group) * x.rows + first_row;
      kernels::multiply(groups_[group], part, block, nullptr, product, channels_);
      for (int64_t row = 0; row < rows; ++row) {
        float* to = out + (first_row + row) * channels_;
        const float* from = product + row * channels_;
        for (int64_t n = block.first; n < block.last; ++n) {
          to[n] = group == 0 ? from[n] : to[n] + from[n];
        }
      }
    }
    for (int64_t row = first_row; bias != nullptr && row < first_row + rows; ++row) {
      for (int64_t n = block.first; n < block.last; ++n) {
        out[row * channels_ + n] += bias[n];
      }
    }
  }

  int64_t channels_;
  int64_t columns_;
  int64_t group_size_;
  std::vector<kernels::Int8Weights> groups_;
};

/// Codes -8 to 7 as 0 to 15.
std::vector<uint8_t> as_nibbles(const at::Tensor& codes) {
  const at::Tensor plain = codes.contiguous();
  std::vector<uint8_t> nibbles;
  nibbles.reserve(static_cast<std::size_t>(plain.numel()));
  for (const int8_t code : elements<int8_t>(plain)) {
    nibbles.push_back(static_cast<uint8_t>(code + 8));
  }
  return nibbles;
}

kernels::Int4Weights pack_nibbles(const QuantizedLayer& numbers) {
  const int64_t channels = numbers.codes.size(0);
  const int64_t columns = numbers.codes.size(1);
  const bool grouped = numbers.granularity == Granularity::kGroup;
  const int64_t groups = grouped ? columns / numbers.group_size : columns == 0 ? 0 : 1;
  const auto for_each_group = [&](const at::Tensor& values) {
    return values.narrow(1, 0, groups).expand({channels, groups}).contiguous();
  };
  const at::Tensor scales = for_each_group(numbers.scales);
  std::vector<uint8_t> zeros;
  if (numbers.zero_points.defined()) {
    zeros = as_nibbles(for_each_group(numbers.zero_points));
  }
  return {as_nibbles(numbers.codes),
          channels,
          columns,
          grouped ? numbers.group_size : columns,
          elements<float>(scales),
          zeros};
}

/// Nibbles with a scale for each group, channel, or for all.
class NibbleWeights final : public PackedWeights {
 public:
  explicit NibbleWeights(const QuantizedLayer& numbers)
      : weights_(pack_nibbles(numbers)) {}

  void multiply(const CodedRows& x, const float* bias, float* out) const override {
    kernels::Int4Input input;
    kernels::prepare_input(weights_, x, input);
    const int64_t channels = weights_.channels();
    const int64_t operations = x.rows * channels * weights_.columns();
    by_channels(channels, parts_of_work(operations), [&](ChannelRange range) {
      kernels::multiply(weights_, x, input, range, bias, out, channels);
    });
  }

  void decode(ChannelRange range, float* out) const override {
    kernels::unpack_tile(weights_, range, out, weights_.columns());
  }

  [[nodiscard]] std::string route() const override { return "int4 " + level_name(); }
  [[nodiscard]] int64_t bytes() const override { return weights_.bytes(); }

 private:
  kernels::Int4Weights weights_;
};

bool groups_fit_nibbles(const QuantizedLayer& numbers) {
  constexpr int64_t kGroupStep = 16;
  return numbers.granularity != Granularity::kGroup ||
         numbers.group_size % kGroupStep == 0 ||
         numbers.group_size == numbers.codes.size(1);
}

}  // namespace

std::unique_ptr<const PackedWeights> pack_weights(const QuantizedLayer& numbers) {
  if (numbers.bits <= 4 && groups_fit_nibbles(numbers)) {
    return std::make_unique<NibbleWeights>(numbers);
  }
  if (numbers.granularity == Granularity::kGroup) {
    return std::make_unique<GroupedByteWeights>(numbers);
  }
  return std::make_unique<ByteWeights>(numbers);
}

}  // namespace sizewise::quantizing

#include "kernels/int8_product.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "sizewise/error.hpp"

#include "kernels/argument_checks.hpp"

namespace sizewise::kernels {
namespace {

/// One value for each channel from one for each or one for all, then 0 to whole blocks.
template <class T>
std::vector<T> per_channel(std::span<const T> values, const PackedLayout& layout) {
  std::vector<T> padded(static_cast<std::size_t>(layout.padded_channels()));
  for (std::size_t n = 0; n < static_cast<std::size_t>(layout.channels); ++n) {
    padded[n] = values.size() == 1 ? values[0] : values[n];
  }
  return padded;
}

void expect_zero_points(std::span<const int32_t> zero_point, int64_t channels) {
  expect_size_or_one("the weight's zero point", zero_point.size(), channels);
  for (const int32_t zero : zero_point) {
    if (zero < -128 || zero > 127) {
      throw Error(
          ErrorCode::kQuantization,
          "a weight's zero point is " + std::to_string(zero) + "; allowed: -128 to 127");
    }
  }
}

}  // namespace

Int8Weights::Int8Weights(std::span<const int8_t> codes,
                         int64_t channels,
                         int64_t columns,
                         std::span<const float> scale,
                         std::span<const int32_t> zero_point)
    : columns_(columns),
      layout_{channels, (columns + kInt8StepColumns - 1) / kInt8StepColumns} {
  expect_shape(channels, columns);
  expect_size("the weight", codes.size(), channels * columns);
  expect_size_or_one("the weight's scale", scale.size(), channels);
  expect_finite("the weight's scale", scale);
  if (!zero_point.empty()) {
    expect_zero_points(zero_point, channels);
  }
  scale_ = per_channel(scale, layout_);
  if (std::any_of(zero_point.begin(), zero_point.end(), [](int32_t z) {
        return z;
      })) {
    zero_point_ = per_channel(zero_point, layout_);
  }
  pack(codes.data());
}

void Int8Weights::pack(const int8_t* codes) {
  packed_ = AlignedBuffer<int8_t>(layout_.bytes());
  wide_sum_.resize(static_cast<std::size_t>(layout_.padded_channels()));
  for (int64_t n = 0; n < layout_.channels; ++n) {
    const int8_t* row = codes + n * columns_;
    int64_t sum = 0;
    for (int64_t k = 0; k < columns_; ++k) {
      packed_[layout_.offset(n, k / kInt8StepColumns) + k % kInt8StepColumns] = row[k];
      sum += row[k];
    }
    wide_sum_[static_cast<std::size_t>(n)] = sum;
  }
  if (columns_ <= kMostInt8Columns) {
    sum_.assign(wide_sum_.begin(), wide_sum_.end());
  }
}

int64_t Int8Weights::bytes() const {
  return packed_.bytes() +
         static_cast<int64_t>(scale_.size() * sizeof(float) +
                              wide_sum_.size() * sizeof(int64_t) +
                              (sum_.size() + zero_point_.size()) * sizeof(int32_t));
}

std::vector<int8_t> Int8Weights::codes() const {
  std::vector<int8_t> codes(static_cast<std::size_t>(layout_.channels * columns_));
  for (int64_t n = 0; n < layout_.channels; ++n) {
    for (int64_t k = 0; k < columns_; ++k) {
      codes[static_cast<std::size_t>(n * columns_ + k)] =
          packed_[layout_.offset(n, k / kInt8StepColumns) + k % kInt8StepColumns];
    }
  }
  return codes;
}

Int8Block Int8Weights::block_of(int64_t block, const CodedRows& x) const {
  const int64_t first = block * kBlockChannels;
  Int8Block in{};
  in.product.codes = x.codes;
  in.product.code_stride = x.stride;
  in.product.rows = x.rows;
  in.product.weights = packed_.data() + layout_.block_offset(block);
  in.product.steps = layout_.steps;
  in.product.strips = layout_.strips_of(block);
  in.columns = columns_;
  in.scale = x.scale;
  in.zero_point = x.zero_point;
  in.parameter_step = x.parameter_step();
  in.code_sum = x.sum;
  in.weight_scale = scale_.data() + first;
  in.weight_sum = sum_.empty() ? nullptr : sum_.data() + first;
  in.weight_zero_point = zero_point_.empty() ? nullptr : zero_point_.data() + first;
  in.channels = layout_.channels_of(block);
  return in;
}

void Int8Weights::multiply_wide(Int8Block in,
                                int64_t block,
                                const LevelFunctions& level) const {
  const int64_t* weight_sum = wide_sum_.data() + block * kBlockChannels;
  const int64_t steps_of_piece = kMostInt8Columns / kInt8StepColumns;
  const int64_t step_bytes = layout_.step_bytes(block);
  const int64_t rows = in.product.rows;
  in.product.rows = 1;
  for (int64_t row = 0; row < rows; ++row) {
    std::array<int64_t, kBlockChannels> total{};
    for (int64_t step = 0; step < layout_.steps; step += steps_of_piece) {
      std::array<int32_t, kBlockChannels> sums{};
      Int8Sums piece = in.product;
      piece.codes += row * piece.code_stride + step * kInt8StepColumns;
      piece.weights += step * step_bytes;
      piece.steps = std::min(steps_of_piece, layout_.steps - step);
      piece.sums = sums.data();
      level.int8_sums(piece);
      std::transform(
          sums.begin(), sums.end(), total.begin(), total.begin(), std::plus<>());
    }
    const int64_t zero = in.zero_point[row * in.parameter_step];
    const float scale = in.scale[row * in.parameter_step];
    for (int64_t n = 0; n < in.channels; ++n) {
      const auto at = static_cast<std::size_t>(n);
      int64_t sum = total[at] - zero * weight_sum[n];
      if (in.weight_zero_point != nullptr) {
        sum -= in.weight_zero_point[n] * (in.code_sum[row] - zero * columns_);
      }
      const float value = static_cast<float>(sum) * scale * in.weight_scale[n];
      in.out[row * in.out_stride + n] = in.bias == nullptr ? value : value + in.bias[n];
    }
  }
}

void multiply(const Int8Weights& weights,
              const CodedRows& x,
              ChannelRange range,
              const float* bias,
              float* out,
              int64_t out_stride,
              const LevelFunctions& level) {
  expect_columns(x, weights.columns_);
  assert(x.stride >= x.columns && x.stride % 64 == 0);
  assert(range.first % kBlockChannels == 0 && range.last <= weights.channels());
  assert(x.rows == 0 || x.sum != nullptr || !weights.has_zero_points());
  // Without rows there may be no memory to point into.
  const int64_t end = x.rows == 0 ? range.first : range.last;
  for (int64_t first = range.first; first < end; first += kBlockChannels) {
    const int64_t block = first / kBlockChannels;
    Int8Block in = weights.block_of(block, x);
    in.bias = bias == nullptr ? nullptr : bias + first;
    in.out = out + first;
    in.out_stride = out_stride;
    if (weights.sum_.empty()) {
      weights.multiply_wide(in, block, level);
    } else {
      level.int8_block(in);
    }
  }
}

void unpack_tile(const Int8Weights& weights,
                 ChannelRange range,
                 float* out,
                 int64_t out_stride) {
  for (int64_t n = range.first; n < range.last; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const int32_t zero = weights.has_zero_points() ? weights.zero_point_[at] : 0;
    float* to = out + (n - range.first) * out_stride;
    for (int64_t k = 0; k < weights.columns_; ++k) {
      const int8_t code =
          weights.packed_[weights.layout_.offset(n, k / kInt8StepColumns) +
                          k % kInt8StepColumns];
      to[k] = static_cast<float>(code - zero) * weights.scale_[at];
    }
  }
}

}  // namespace sizewise::kernels

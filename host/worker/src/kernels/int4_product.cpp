#include "kernels/int4_product.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "sizewise/error.hpp"

#include "kernels/argument_checks.hpp"

namespace sizewise::kernels {
namespace {

constexpr int64_t kGroupStep = 16;
constexpr uint8_t kMiddle = 8;

void expect_group_size(int64_t group_size, int64_t columns) {
  const bool is_whole_row = group_size == columns;
  if (group_size <= 0
          ? !is_whole_row
          : group_size > columns || (group_size % kGroupStep != 0 && !is_whole_row)) {
    throw Error(ErrorCode::kQuantization,
                "a group of " + std::to_string(group_size) + " of " +
                    std::to_string(columns) + " inputs cannot be packed",
                "take a multiple of 16, or all " + std::to_string(columns));
  }
}

void expect_nibbles(const char* what, std::span<const uint8_t> codes) {
  const auto bad = std::find_if(codes.begin(), codes.end(), [](uint8_t code) {
    return code > 15;
  });
  if (bad != codes.end()) {
    throw Error(ErrorCode::kQuantization,
                std::string(what) + " is " + std::to_string(*bad) + " at element " +
                    std::to_string(bad - codes.begin()) + "; 4 bits hold 0 to 15");
  }
}

/// code - 128 as signed bytes, 8 at a time; the count is a multiple of 8.
void sign_bytes(const uint8_t* codes, int64_t count, int8_t* to) {
  for (int64_t i = 0; i < count; i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, codes + i, sizeof eight);
    eight ^= 0x8080808080808080U;
    std::memcpy(to + i, &eight, sizeof eight);
  }
}

}  // namespace

Int4Weights::Int4Weights(std::span<const uint8_t> codes,
                         int64_t channels,
                         int64_t columns,
                         int64_t group_size,
                         std::span<const float> scale,
                         std::span<const uint8_t> zero_point)
    : columns_(columns),
      group_size_(group_size),
      groups_(group_size == 0 ? 0 : (columns + group_size - 1) / group_size),
      layout_{channels, (columns + kInt4StepColumns - 1) / kInt4StepColumns} {
  expect_shape(channels, columns);
  expect_group_size(group_size, columns);
  expect_size("the weight", codes.size(), channels * columns);
  expect_nibbles("a weight's code", codes);
  expect_size("the weight's scale", scale.size(), channels * groups_);
  expect_finite("the weight's scale", scale);
  if (!zero_point.empty()) {
    expect_size("the weight's zero point", zero_point.size(), channels * groups_);
    expect_nibbles("a weight's zero point", zero_point);
  }
  make_spans();
  set_spans(scale, zero_point);
  pack(codes.data());
}

void Int4Weights::make_spans() {
  for (int64_t group = 0; group < groups_; ++group) {
    const int64_t end = std::min(columns_, (group + 1) * group_size_);
    for (int64_t first = group * group_size_; first < end; first += kMostInt4Columns) {
      spans_.push_back({first, std::min(kMostInt4Columns, end - first)});
    }
  }
}

int64_t Int4Weights::span_offset(int64_t channel, int64_t span) const {
  const int64_t block = channel / kBlockChannels;
  return (block * span_count() + span) * kBlockChannels + channel % kBlockChannels;
}

void Int4Weights::set_spans(std::span<const float> scale,
                            std::span<const uint8_t> zero_point) {
  const int64_t size = layout_.padded_channels() * span_count();
  span_scale_ = AlignedBuffer<float>(size);
  span_sum_ = AlignedBuffer<int16_t>(size);
  const bool has_zeros = std::any_of(zero_point.begin(), zero_point.end(), [](uint8_t z) {
    return z != kMiddle;
  });
  if (has_zeros) {
    span_zero_point_ = AlignedBuffer<uint8_t>(size);
  }
  for (int64_t n = 0; n < layout_.channels; ++n) {
    for (int64_t span = 0; span < span_count(); ++span) {
      const int64_t group = spans_[static_cast<std::size_t>(span)].first / group_size_;
      const auto from = static_cast<std::size_t>(n * groups_ + group);
      span_scale_[span_offset(n, span)] = scale[from];
      if (has_zeros) {
        span_zero_point_[span_offset(n, span)] = zero_point[from];
      }
    }
  }
}

void Int4Weights::pack(const uint8_t* codes) {
  packed_ = AlignedBuffer<uint8_t>(layout_.bytes());
  for (int64_t n = 0; n < layout_.channels; ++n) {
    const uint8_t* row = codes + n * columns_;
    for (int64_t k = 0; k < columns_; ++k) {
      const int64_t place = k % kInt4StepColumns;
      uint8_t& both = packed_[layout_.offset(n, k / kInt4StepColumns) + place % 4];
      both = static_cast<uint8_t>(both | (place < 4 ? row[k] : row[k] << 4));
    }
    for (int64_t i = 0; i < span_count(); ++i) {
      const Int4Span& span = spans_[static_cast<std::size_t>(i)];
      int32_t sum = 0;
      for (int64_t k = span.first; k < span.first + span.count; ++k) {
        sum += row[k];
      }
      span_sum_[span_offset(n, i)] = static_cast<int16_t>(sum);
    }
  }
}

int64_t Int4Weights::bytes() const {
  return packed_.bytes() + span_scale_.bytes() + span_zero_point_.bytes() +
         span_sum_.bytes();
}

std::vector<uint8_t> Int4Weights::codes() const {
  std::vector<uint8_t> codes(static_cast<std::size_t>(layout_.channels * columns_));
  for (int64_t n = 0; n < layout_.channels; ++n) {
    for (int64_t k = 0; k < columns_; ++k) {
      const int64_t place = k % kInt4StepColumns;
      const int both = packed_[layout_.offset(n, k / kInt4StepColumns) + place % 4];
      codes[static_cast<std::size_t>(n * columns_ + k)] =
          static_cast<uint8_t>(place < 4 ? both & 15 : both >> 4);
    }
  }
  return codes;
}

void prepare_input(const Int4Weights& weights,
                   const CodedRows& x,
                   Int4Input& input,
                   const LevelFunctions& level) {
  expect_columns(x, weights.columns_);
  const int64_t bytes = x.rows * x.stride;
  if (input.signed_codes.size() < bytes) {
    input.signed_codes = AlignedBuffer<int8_t>(bytes);
  }
  sign_bytes(x.codes, bytes, input.signed_codes.data());
  input.span_sums.resize(static_cast<std::size_t>(x.rows * weights.span_count()));
  std::size_t at = 0;
  for (int64_t row = 0; row < x.rows; ++row) {
    const uint8_t* codes = x.codes + row * x.stride;
    for (const Int4Span& span : weights.spans_) {
      input.span_sums[at++] = level.code_sum(codes + span.first, span.count);
    }
  }
}

void multiply(const Int4Weights& weights,
              const CodedRows& x,
              const Int4Input& input,
              ChannelRange range,
              const float* bias,
              float* out,
              int64_t out_stride,
              const LevelFunctions& level) {
  expect_columns(x, weights.columns_);
  assert(x.stride >= x.columns && x.stride % 64 == 0);
  assert(range.first % kBlockChannels == 0 && range.last <= weights.channels());
  assert(static_cast<int64_t>(input.span_sums.size()) == x.rows * weights.span_count());
  const bool has_zeros = weights.span_zero_point_.size() > 0;
  // Without rows there may be no memory to point into.
  const int64_t end = x.rows == 0 ? range.first : range.last;
  for (int64_t first = range.first; first < end; first += kBlockChannels) {
    const int64_t block = first / kBlockChannels;
    const int64_t at = weights.span_offset(first, 0);
    level.int4_block(
        {.codes = input.signed_codes.data(),
         .code_stride = x.stride,
         .rows = x.rows,
         .nibbles = weights.packed_.data() + weights.layout_.block_offset(block),
         .strips = weights.layout_.strips_of(block),
         .spans = weights.spans_.data(),
         .span_count = weights.span_count(),
         .span_scale = weights.span_scale_.data() + at,
         .span_zero_point = has_zeros ? weights.span_zero_point_.data() + at : nullptr,
         .span_weight_sum = weights.span_sum_.data() + at,
         .code_sum = input.span_sums.data(),
         .scale = x.scale,
         .zero_point = x.zero_point,
         .parameter_step = x.parameter_step(),
         .bias = bias == nullptr ? nullptr : bias + first,
         .channels = weights.layout_.channels_of(block),
         .out = out + first,
         .out_stride = out_stride});
  }
}

}  // namespace sizewise::kernels

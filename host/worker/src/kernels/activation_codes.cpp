#include "kernels/activation_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "sizewise/error.hpp"

namespace sizewise::kernels {
namespace {

/// The float of an integer that stands where it stands in order: -0 right below 0,
/// NaN beyond the infinities. It is its own inverse.
float float_of_key(int32_t key) {
  const int32_t bits = key ^ ((key >> 31) & std::numeric_limits<int32_t>::max());
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

ValueRange range_of_keys(KeyRange keys) {
  const float low = float_of_key(keys.low);
  const float high = float_of_key(keys.high);
  if (!std::isfinite(low) || !std::isfinite(high)) {
    return {0.0F, 0.0F, false};
  }
  return {std::min(low, 0.0F), std::max(high, 0.0F), true};
}

ValueRange range_of_row(const float* values, int64_t count, const LevelFunctions& level) {
  return count == 0 ? ValueRange{} : range_of_keys(level.key_range(values, count));
}

NonFinite first_non_finite(const FloatRows& rows, int64_t first) {
  for (int64_t row = first; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.stride;
    for (int64_t column = 0; column < rows.columns; ++column) {
      if (!std::isfinite(values[column])) {
        return {row, column};
      }
    }
  }
  return {};
}

float scale_of(double width, double steps, float narrow) {
  // In floats, as ONNX has it, unless the width is beyond them.
  const float scale = std::isfinite(narrow) ? narrow : static_cast<float>(width / steps);
  if (width == 0.0) {
    return 1.0F;
  }
  return std::max(scale, std::numeric_limits<float>::min());
}

}  // namespace

void CodeBuffer::prepare(int64_t rows, int64_t columns, ScalePer scale_per) {
  if (columns > kMostColumns) {
    throw Error(ErrorCode::kQuantization,
                "a layer of " + std::to_string(columns) +
                    " inputs is wider than integer sums of 32 bits allow: " +
                    std::to_string(kMostColumns),
                "exclude the layer");
  }
  const int64_t stride = padded_columns(columns);
  const bool is_new_shape = stride != stride_ || columns != columns_;
  if (codes_.size() < rows * stride) {
    codes_ = AlignedBuffer<uint8_t>(rows * stride);
  } else if (is_new_shape && codes_.size() > 0) {
    std::memset(codes_.data(), 0, static_cast<std::size_t>(codes_.size()));
  }
  rows_ = rows;
  columns_ = columns;
  stride_ = stride;
  per_row_ = scale_per == ScalePer::kRow;
  const auto count = static_cast<std::size_t>(per_row_ ? rows : 1);
  scale_.resize(count);
  zero_point_.resize(count);
  sum_.resize(static_cast<std::size_t>(rows));
}

CodedRows CodeBuffer::view() const {
  return {codes_.data(),
          rows_,
          columns_,
          stride_,
          scale_.data(),
          zero_point_.data(),
          per_row_,
          sum_.data()};
}

void CodeBuffer::set_parameters(int64_t row, CodeParameters parameters) {
  const std::size_t at = per_row_ ? static_cast<std::size_t>(row) : 0;
  scale_[at] = parameters.scale;
  zero_point_[at] = parameters.zero_point;
}

void CodeBuffer::set_sum(int64_t row, int32_t sum) {
  sum_[static_cast<std::size_t>(row)] = sum;
}

ValueRange range_of(const FloatRows& rows, const LevelFunctions& level) {
  ValueRange whole;
  for (int64_t row = 0; row < rows.rows; ++row) {
    const ValueRange range =
        range_of_row(rows.values + row * rows.stride, rows.columns, level);
    if (!range.is_finite) {
      return range;
    }
    whole.low = std::min(whole.low, range.low);
    whole.high = std::max(whole.high, range.high);
  }
  return whole;
}

CodeParameters choose_parameters(const ValueRange& range, CodeRange kind) {
  if (kind == CodeRange::kSymmetric) {
    const float most = std::max(-range.low, range.high);
    return {scale_of(most, 127.0, most / 127.0F), 128};
  }
  const double width = static_cast<double>(range.high) - static_cast<double>(range.low);
  const float scale = scale_of(width, 255.0, (range.high - range.low) / 255.0F);
  const float zero = std::clamp(0.0F - range.low / scale, 0.0F, 255.0F);
  return {scale, static_cast<int32_t>(std::nearbyint(zero))};
}

void encode_rows(const FloatRows& rows,
                 CodeParameters parameters,
                 int64_t first,
                 int64_t last,
                 CodeBuffer& buffer,
                 const LevelFunctions& level) {
  for (int64_t row = first; row < last; ++row) {
    buffer.set_sum(row,
                   level.encode(rows.values + row * rows.stride,
                                rows.columns,
                                parameters.scale,
                                parameters.zero_point,
                                buffer.row(row)));
  }
}

std::optional<NonFinite> encode_rows_by_range(const FloatRows& rows,
                                              CodeRange kind,
                                              int64_t first,
                                              int64_t last,
                                              CodeBuffer& buffer,
                                              const LevelFunctions& level) {
  for (int64_t row = first; row < last; ++row) {
    const ValueRange range =
        range_of_row(rows.values + row * rows.stride, rows.columns, level);
    if (!range.is_finite) {
      return first_non_finite(rows, row);
    }
    const CodeParameters parameters = choose_parameters(range, kind);
    buffer.set_parameters(row, parameters);
    encode_rows(rows, parameters, row, row + 1, buffer, level);
  }
  return std::nullopt;
}

std::optional<NonFinite> encode_rows_split(const FloatRows& rows,
                                           int64_t first,
                                           int64_t last,
                                           CodeBuffer& buffer,
                                           const LevelFunctions& level) {
  constexpr float kHighStep = 256.0F;
  for (int64_t row = first; row < last; ++row) {
    const float* values = rows.values + row * rows.stride;
    const ValueRange range = range_of_row(values, rows.columns, level);
    if (!range.is_finite) {
      return first_non_finite(rows, row);
    }
    const float most = std::max(-range.low, range.high);
    const float scale = scale_of(most, kMostSplit, most / static_cast<float>(kMostSplit));
    const int64_t low_row = rows.rows + row;
    const SplitSums sums = level.encode_split(
        values, rows.columns, scale, buffer.row(row), buffer.row(low_row));
    buffer.set_parameters(row, {kHighStep * scale, 128});
    buffer.set_parameters(low_row, {scale, 128});
    buffer.set_sum(row, sums.high);
    buffer.set_sum(low_row, sums.low);
  }
  return std::nullopt;
}

std::optional<NonFinite> quantize_dynamic(const FloatRows& rows,
                                          CodeRange kind,
                                          ScalePer scale_per,
                                          CodeBuffer& buffer,
                                          const LevelFunctions& level) {
  buffer.prepare(rows.rows, rows.columns, scale_per);
  if (scale_per == ScalePer::kRow) {
    return encode_rows_by_range(rows, kind, 0, rows.rows, buffer, level);
  }
  const ValueRange range = range_of(rows, level);
  if (!range.is_finite) {
    return first_non_finite(rows, 0);
  }
  const CodeParameters parameters = choose_parameters(range, kind);
  buffer.set_parameters(0, parameters);
  encode_rows(rows, parameters, 0, rows.rows, buffer, level);
  return std::nullopt;
}

std::optional<NonFinite> quantize_static(const FloatRows& rows,
                                         CodeParameters parameters,
                                         CodeBuffer& buffer,
                                         const LevelFunctions& level) {
  if (!(parameters.scale > 0.0F) || !std::isfinite(parameters.scale) ||
      parameters.zero_point < 0 || parameters.zero_point > 255) {
    throw Error(ErrorCode::kQuantization,
                "an input scale of " + std::to_string(parameters.scale) +
                    " with zero point " + std::to_string(parameters.zero_point) +
                    " cannot be used; a scale is finite and above 0, a zero point "
                    "0 to 255");
  }
  buffer.prepare(rows.rows, rows.columns, ScalePer::kTensor);
  buffer.set_parameters(0, parameters);
  encode_rows(rows, parameters, 0, rows.rows, buffer, level);
  if (!range_of(rows, level).is_finite) {
    return first_non_finite(rows, 0);
  }
  return std::nullopt;
}

}  // namespace sizewise::kernels

#include "quantizing/input_codes.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "quantizing/parallel_parts.hpp"

namespace sizewise::quantizing {
namespace {

using kernels::CodeBuffer;
using kernels::FloatRows;

// To code a value costs about as much as this many products of bytes.
constexpr int64_t kOperationsOfValue = 16;

/// Calls `code` with the first and the past-the-end row of each part; it returns whether
/// all values are finite. @returns whether all parts are
bool by_rows(const FloatRows& rows,
             c10::function_ref<bool(int64_t part, int64_t first, int64_t last)> code) {
  const int64_t parts =
      std::min(std::max<int64_t>(rows.rows, 1),
               parts_of_work(rows.rows * rows.columns * kOperationsOfValue));
  std::atomic<bool> finite = true;
  run_parts(parts, [&](int64_t part) {
    const int64_t first = first_of_part(rows.rows, part, parts);
    const int64_t last = first_of_part(rows.rows, part + 1, parts);
    if (!code(part, first, last)) {
      finite = false;
    }
  });
  return finite;
}

FloatRows rows_between(const FloatRows& rows, int64_t first, int64_t last) {
  return {rows.values + first * rows.stride, last - first, rows.columns, rows.stride};
}

bool code_each_row(const FloatRows& rows, CodeBuffer& buffer) {
  buffer.prepare(rows.rows, rows.columns, kernels::ScalePer::kRow);
  return by_rows(rows, [&](int64_t /*part*/, int64_t first, int64_t last) {
    return !encode_rows_by_range(
        rows, kernels::CodeRange::kSymmetric, first, last, buffer);
  });
}

bool code_in_halves(const FloatRows& rows, CodeBuffer& buffer) {
  buffer.prepare(2 * rows.rows, rows.columns, kernels::ScalePer::kRow);
  return by_rows(rows, [&](int64_t /*part*/, int64_t first, int64_t last) {
    return !encode_rows_split(rows, first, last, buffer);
  });
}

bool code_by_parameters(const FloatRows& rows,
                        kernels::CodeParameters parameters,
                        CodeBuffer& buffer) {
  buffer.prepare(rows.rows, rows.columns, kernels::ScalePer::kTensor);
  buffer.set_parameters(0, parameters);
  return by_rows(rows, [&](int64_t /*part*/, int64_t first, int64_t last) {
    encode_rows(rows, parameters, first, last, buffer);
    return range_of(rows_between(rows, first, last)).is_finite;
  });
}

bool code_by_range_of_all(const FloatRows& rows,
                          kernels::CodeRange kind,
                          CodeBuffer& buffer) {
  kernels::ValueRange whole;
  std::vector<kernels::ValueRange> ranges(
      static_cast<std::size_t>(std::max<int64_t>(parts_of_work(INT64_MAX), 1)));
  const bool finite = by_rows(rows, [&](int64_t part, int64_t first, int64_t last) {
    kernels::ValueRange& range = ranges[static_cast<std::size_t>(part)];
    range = range_of(rows_between(rows, first, last));
    return range.is_finite;
  });
  if (!finite) {
    return false;
  }
  for (const kernels::ValueRange& range : ranges) {
    whole.low = std::min(whole.low, range.low);
    whole.high = std::max(whole.high, range.high);
  }
  const kernels::CodeParameters parameters = choose_parameters(whole, kind);
  buffer.prepare(rows.rows, rows.columns, kernels::ScalePer::kTensor);
  buffer.set_parameters(0, parameters);
  return by_rows(rows, [&](int64_t /*part*/, int64_t first, int64_t last) {
    encode_rows(rows, parameters, first, last, buffer);
    return true;
  });
}

bool code_all(const InputCoding& coding, const FloatRows& rows, CodeBuffer& buffer) {
  switch (coding.activation) {
    case ActivationTreatment::kNone:
      return code_in_halves(rows, buffer);
    case ActivationTreatment::kDynamicPerTensor:
      return code_by_range_of_all(rows, coding.range, buffer);
    case ActivationTreatment::kDynamicPerToken:
      return code_each_row(rows, buffer);
    case ActivationTreatment::kStatic:
      break;
  }
  return code_by_parameters(rows, coding.fixed, buffer);
}

}  // namespace

InputCoding coding_of(const QuantizedLayer& numbers) {
  InputCoding coding;
  coding.activation = numbers.activation;
  if (numbers.activation == ActivationTreatment::kStatic) {
    // NOLINTBEGIN(bugprone-unchecked-optional-access): check_numbers() has seen them
    coding.fixed = {static_cast<float>(*numbers.activation_scale),
                    static_cast<int32_t>(*numbers.activation_zero_point)};
    // NOLINTEND(bugprone-unchecked-optional-access)
  }
  // What 4 bits lose is far above the one bit that codes around 128 may waste, and their
  // product runs fastest with these.
  coding.range = numbers.bits <= 4 ? kernels::CodeRange::kSymmetric
                                   : kernels::CodeRange::kAsymmetric;
  return coding;
}

void code_rows(const std::string& name,
               const InputCoding& coding,
               const FloatRows& rows,
               CodeBuffer& buffer) {
  if (!code_all(coding, rows, buffer)) {
    throw non_finite_input(name, rows);
  }
}

Error non_finite_input(const std::string& name, const FloatRows& rows) {
  for (int64_t row = 0; row < rows.rows; ++row) {
    for (int64_t column = 0; column < rows.columns; ++column) {
      const float value = rows.values[row * rows.stride + column];
      if (!std::isfinite(value)) {
        return {ErrorCode::kQuantization,
                fmt::format("the input of layer '{}' is {} at row {}, column {}; a "
                            "quantized layer takes finite numbers only",
                            name,
                            std::isnan(value) ? "NaN" : "infinite",
                            row,
                            column),
                fmt::format("find what comes before it that makes such numbers, or leave "
                            "it float with --exclude '{}'",
                            name)};
      }
    }
  }
  return {ErrorCode::kInternal,
          fmt::format("the input of layer '{}' was taken for not finite", name)};
}

}  // namespace sizewise::quantizing

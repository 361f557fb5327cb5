#include "kernels/self_test.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/reference_product.hpp"

namespace sizewise::kernels {
namespace {

constexpr double kTolerance = 1e-6;

// 64 + 41 channels: blocks of 4 and of 3 strips, the last one not full. 67 columns: no
// whole number of steps.
constexpr int64_t kChannels = 105;
constexpr int64_t kColumns = 67;
constexpr int64_t kRows = 7;

/// Codes that take all values in no short period.
uint32_t scattered(std::size_t i) {
  return static_cast<uint32_t>(i * 2654435761U) >> 13;
}

/// Rows of codes: all 255, or scattered.
CodeBuffer made_codes(bool extreme, int64_t columns, ScalePer scale_per) {
  CodeBuffer buffer;
  buffer.prepare(kRows, columns, scale_per);
  for (int64_t m = 0; m < kRows; ++m) {
    int32_t sum = 0;
    for (int64_t k = 0; k < columns; ++k) {
      const auto at = static_cast<std::size_t>(m * columns + k);
      const uint32_t code = extreme ? 255 : scattered(at) & 255;
      buffer.row(m)[k] = static_cast<uint8_t>(code);
      sum += static_cast<int32_t>(code);
    }
    buffer.set_sum(m, sum);
    const auto step = static_cast<int32_t>(m);
    buffer.set_parameters(m, {0.5F + 0.25F * static_cast<float>(m), 20 * step});
  }
  return buffer;
}

/// All weights at one end of the bytes, or scattered.
Int8Layer made_int8_layer(int extreme) {
  Int8Layer layer{.channels = kChannels, .columns = kColumns};
  for (std::size_t i = 0; i < static_cast<std::size_t>(kChannels * kColumns); ++i) {
    const int code = static_cast<int>(scattered(i) & 255) - 128;
    layer.codes.push_back(static_cast<int8_t>(extreme != 0 ? extreme : code));
  }
  for (int n = 0; n < kChannels; ++n) {
    layer.scale.push_back(1.0F / static_cast<float>(n + 1));
    layer.zero_point.push_back(n % 3 - 1);
    layer.bias.push_back(static_cast<float>(n));
  }
  return layer;
}

Int4Layer made_int4_layer(bool extreme, int64_t group_size, int64_t columns) {
  Int4Layer layer{.channels = kChannels, .columns = columns, .group_size = group_size};
  for (std::size_t i = 0; i < static_cast<std::size_t>(kChannels * columns); ++i) {
    layer.codes.push_back(static_cast<uint8_t>(extreme ? 15 : scattered(i) & 15));
  }
  const int64_t groups = (columns + group_size - 1) / group_size;
  for (int i = 0; i < kChannels * groups; ++i) {
    layer.scale.push_back(1.0F / static_cast<float>(i % 17 + 1));
    layer.zero_point.push_back(static_cast<uint8_t>(i % 16));
  }
  return layer;
}

bool is_exact(const Int8Layer& layer, const CodedRows& x, const LevelFunctions& level) {
  std::vector<float> out(static_cast<std::size_t>(x.rows * layer.channels));
  multiply(layer.packed(),
           x,
           {0, layer.channels},
           layer.bias_or_null(),
           out.data(),
           layer.channels,
           level);
  return relative_error(out, reference_product(layer, x)) <= kTolerance;
}

bool is_exact(const Int4Layer& layer, const CodedRows& x, const LevelFunctions& level) {
  const Int4Weights weights = layer.packed();
  Int4Input input;
  prepare_input(weights, x, input, level);
  std::vector<float> out(static_cast<std::size_t>(x.rows * layer.channels));
  multiply(weights,
           x,
           input,
           {0, layer.channels},
           layer.bias_or_null(),
           out.data(),
           layer.channels,
           level);
  return relative_error(out, reference_product(layer, x)) <= kTolerance;
}

/// Values around every half, and beyond both ends.
bool encodes_exactly(const LevelFunctions& level) {
  constexpr int kZero = 3;
  std::array<float, 600> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.25F * (static_cast<float>(i) * 0.5F - 20.0F);
  }
  std::array<uint8_t, 600> codes{};
  const auto count = static_cast<int64_t>(values.size());
  const int32_t sum = level.encode(values.data(), count, 0.25F, kZero, codes.data());
  int32_t expected_sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double code = std::nearbyint(static_cast<double>(values[i]) / 0.25) + kZero;
    const int expected = code < 0.0 ? 0 : code > 255.0 ? 255 : static_cast<int>(code);
    expected_sum += expected;
    if (codes[i] != expected) {
      return false;
    }
  }
  return sum == expected_sum && level.code_sum(codes.data(), count) == expected_sum;
}

std::string fault_of_int8(const LevelFunctions& level) {
  const CodeBuffer extreme = made_codes(true, kColumns, ScalePer::kRow);
  const CodeBuffer mixed = made_codes(false, kColumns, ScalePer::kRow);
  for (const int end : {-128, 127}) {
    if (!is_exact(made_int8_layer(end), extreme.view(), level)) {
      return "int8 sums of 255 x " + std::to_string(end);
    }
  }
  return is_exact(made_int8_layer(0), mixed.view(), level) ? "" : "int8 sums";
}

std::string fault_of_int4(const LevelFunctions& level) {
  const CodeBuffer extreme = made_codes(true, kColumns, ScalePer::kRow);
  const CodeBuffer mixed = made_codes(false, kColumns, ScalePer::kTensor);
  if (!is_exact(made_int4_layer(true, kColumns, kColumns), extreme.view(), level)) {
    return "int4 sums of 255 x 15";
  }
  const Int4Layer grouped = made_int4_layer(false, 16, kColumns);
  return is_exact(grouped, mixed.view(), level) ? "" : "int4 sums of groups";
}

}  // namespace

std::string fault_of(const LevelFunctions& level) {
  std::string int8 = fault_of_int8(level);
  if (!int8.empty()) {
    return int8;
  }
  std::string int4 = fault_of_int4(level);
  if (!int4.empty()) {
    return int4;
  }
  return encodes_exactly(level) ? "" : "codes of floats";
}

}  // namespace sizewise::kernels

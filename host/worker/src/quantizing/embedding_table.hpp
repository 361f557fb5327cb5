#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sizewise/quantizer.hpp"

namespace sizewise::quantizing {

/// Rows of a weight {N, K} that are kept as codes and decoded as they are asked for.
/// Codes of up to 4 bits lie two to a byte. [any thread]
class EmbeddingTable {
 public:
  /// @param numbers checked by check_numbers()
  explicit EmbeddingTable(const QuantizedLayer& numbers);

  /// @param indices {count}, int64, contiguous, each in [0, N)
  /// @returns {count, K} float32
  [[nodiscard]] at::Tensor rows(const at::Tensor& indices) const;

  /// All rows, {N, K} float32.
  [[nodiscard]] at::Tensor all() const;

  /// Such as "int4 rows".
  [[nodiscard]] std::string route() const;
  [[nodiscard]] int64_t bytes() const;

 private:
  struct GroupNumbers {
    float scale = 1.0F;
    float zero_point = 0.0F;
  };

  void decode_row(int64_t row, float* out) const;
  [[nodiscard]] GroupNumbers numbers_of(int64_t row, int64_t group) const;

  int bits_;
  int64_t row_count_;
  int64_t columns_;
  int64_t group_size_;
  at::Tensor codes_;   // int8 {N, K}, uint8 {N, ceil(K / 2)}, or {N, K} of 16 bits
  at::Tensor scales_;  // {1, 1}, {N, 1} or {N, G}; undefined for 16 bits
  at::Tensor zero_points_;
  at::Tensor input_scale_;
};

/// Indices as {count} int64, contiguous.
/// @param name the layer's
/// @throws Error kInput naming the layer for one outside of [0, row_count), or where they
///   are on another device than the cpu
[[nodiscard]] at::Tensor checked_indices(const std::string& name,
                                         const at::Tensor& indices,
                                         int64_t row_count);

}  // namespace sizewise::quantizing

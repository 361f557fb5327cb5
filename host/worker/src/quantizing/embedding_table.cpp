#include "quantizing/embedding_table.hpp"

#include <algorithm>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/parallel_parts.hpp"

namespace sizewise::quantizing {
namespace {

/// Codes -8 to 7 as 0 to 15, two to a byte, the first in the low half: {N, ceil(K / 2)}.
at::Tensor two_to_a_byte(const at::Tensor& codes) {
  const int64_t rows = codes.size(0);
  const int64_t columns = codes.size(1);
  const at::Tensor plain = codes.contiguous();
  const int64_t width = (columns + 1) / 2;
  at::Tensor packed = at::zeros({rows, width}, at::kByte);
  const auto* from = plain.const_data_ptr<int8_t>();
  auto* to = packed.mutable_data_ptr<uint8_t>();
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t k = 0; k < columns; ++k) {
      const int nibble = from[n * columns + k] + 8;
      uint8_t& both = to[n * width + k / 2];
      both = static_cast<uint8_t>(both | (k % 2 == 0 ? nibble : nibble << 4));
    }
  }
  return packed;
}

at::Tensor contiguous_or_none(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.contiguous() : tensor;
}

int64_t bytes_of(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
}

}  // namespace

EmbeddingTable::EmbeddingTable(const QuantizedLayer& numbers)
    : bits_(numbers.bits),
      row_count_(numbers.codes.size(0)),
      columns_(numbers.codes.size(1)),
      group_size_(numbers.granularity == Granularity::kGroup ? numbers.group_size
                                                             : columns_),
      codes_(bits_ <= 4 ? two_to_a_byte(numbers.codes) : numbers.codes.contiguous()),
      scales_(contiguous_or_none(numbers.scales)),
      zero_points_(contiguous_or_none(numbers.zero_points)),
      input_scale_(contiguous_or_none(numbers.input_scale)) {}

EmbeddingTable::GroupNumbers EmbeddingTable::numbers_of(int64_t row,
                                                        int64_t group) const {
  const int64_t at =
      scales_.size(0) == 1 && scales_.size(1) == 1 ? 0 : row * scales_.size(1) + group;
  return {scales_.const_data_ptr<float>()[at],
          zero_points_.defined()
              ? static_cast<float>(zero_points_.const_data_ptr<int8_t>()[at])
              : 0.0F};
}

void EmbeddingTable::decode_row(int64_t row, float* out) const {
  const int64_t width = codes_.size(1);
  const auto* bytes = static_cast<const uint8_t*>(codes_.const_data_ptr()) + row * width;
  for (int64_t first = 0; first < columns_; first += group_size_) {
    const GroupNumbers numbers = numbers_of(row, first / group_size_);
    for (int64_t k = first; k < first + group_size_; ++k) {
      const int code = bits_ > 4 ? static_cast<int8_t>(bytes[k])
                                 : (bytes[k / 2] >> (k % 2 * 4) & 15) - 8;
      out[k] = (static_cast<float>(code) - numbers.zero_point) * numbers.scale;
    }
  }
}

at::Tensor EmbeddingTable::rows(const at::Tensor& indices) const {
  at::Tensor out;
  if (bits_ == 16) {
    out = codes_.index_select(0, indices).to(at::kFloat);
  } else {
    const int64_t count = indices.numel();
    out = at::empty({count, columns_}, at::kFloat);
    const auto* from = indices.const_data_ptr<int64_t>();
    auto* to = out.mutable_data_ptr<float>();
    const int64_t parts = parts_of_work(count * columns_);
    run_parts(parts, [&](int64_t part) {
      const int64_t last = first_of_part(count, part + 1, parts);
      for (int64_t i = first_of_part(count, part, parts); i < last; ++i) {
        decode_row(from[i], to + i * columns_);
      }
    });
  }
  return input_scale_.defined() ? out.div_(input_scale_) : out;
}

at::Tensor EmbeddingTable::all() const {
  return rows(at::arange(row_count_, at::kLong));
}

std::string EmbeddingTable::route() const {
  if (bits_ == 16) {
    return codes_.scalar_type() == at::kBFloat16 ? "bfloat16 rows" : "float16 rows";
  }
  return bits_ > 4 ? "int8 rows" : "int4 rows";
}

int64_t EmbeddingTable::bytes() const {
  return bytes_of(codes_) + bytes_of(scales_) + bytes_of(zero_points_) +
         bytes_of(input_scale_);
}

at::Tensor checked_indices(const std::string& name,
                           const at::Tensor& indices,
                           int64_t row_count) {
  if (!indices.is_cpu()) {
    throw Error(ErrorCode::kInput,
                fmt::format("layer '{}' was given indices on {}; its table is on the cpu",
                            name,
                            indices.device().str()),
                "move the indices to the cpu");
  }
  const at::Tensor flat = indices.reshape({-1}).to(at::kLong).contiguous();
  const auto* values = flat.const_data_ptr<int64_t>();
  const auto* end = values + flat.numel();
  const auto* bad = std::find_if(values, end, [&](int64_t index) {
    return index < 0 || index >= row_count;
  });
  if (bad != end) {
    throw Error(ErrorCode::kInput,
                fmt::format("layer '{}' was asked for row {} of its table; allowed: 0 to "
                            "{}",
                            name,
                            *bad,
                            row_count - 1),
                "check what makes the indices, such as the size of the vocabulary");
  }
  return flat;
}

}  // namespace sizewise::quantizing

#include "quantizing/stored_weight.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sizewise/error.hpp"

#include "quantizing/pack_bits.hpp"

namespace sizewise::quantizing {
namespace {

using checkpoint::WeightType;

/// More than any memory holds, and few enough that no size computed of it overflows.
constexpr int64_t kMostElements = int64_t{1} << 56U;

constexpr std::string_view kWeight = "weight";

/// The name that a weight's tensors begin with. The codes of a weight whose input is
/// divided by a scale stand for another matrix than the parameter; other readers know no
/// such scale, and must not take the codes for the parameter's.
std::string base_name(const StoredWeight& weight) {
  return weight.has_input_scale ? weight.name + "_smoothed" : weight.name;
}

/// "fc1." of "fc1.weight", "attn.in_proj_" of "attn.in_proj_weight".
std::string input_prefix(const std::string& name) {
  return name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size())
                                 : name + "_";
}

/// Of scales and of zero points that are not packed.
std::vector<int64_t> scale_shape(const StoredWeight& weight, MatrixSize size) {
  if (weight.granularity == "tensor") {
    return {1};
  }
  if (weight.granularity == "group") {
    return {size.rows, size.columns / weight.group_size};
  }
  if (is_matrix(weight)) {
    return {size.rows, 1};
  }
  std::vector<int64_t> shape(weight.shape.size(), 1);
  shape[weight.use == "transposed_convolution" ? 1 : 0] = size.rows;
  return shape;
}

StoredTensor zero_point_tensor(const StoredWeight& weight,
                               std::string name,
                               const std::vector<int64_t>& shape) {
  if (!is_packed(weight) || weight.granularity == "tensor") {
    return {std::move(name), {WeightType::kI8}, shape};
  }
  return {std::move(name),
          {WeightType::kI32},
          {packed_words(shape[0], weight.bits), shape[1]}};
}

}  // namespace

std::vector<StoredTensor> StoredTensors::all() const {
  std::vector<StoredTensor> tensors{codes};
  for (const auto* tensor : {&scale,
                             &zero_point,
                             &packed_shape,
                             &activation_scale,
                             &activation_zero_point,
                             &input_scale}) {
    if (*tensor) {
      tensors.push_back(**tensor);
    }
  }
  return tensors;
}

MatrixSize matrix_size(const StoredWeight& weight) {
  const bool has_sizes =
      weight.shape.size() >= 2 &&
      std::all_of(weight.shape.begin(), weight.shape.end(), [](int64_t size) {
        return size >= 0;
      });
  int64_t elements = 1;
  bool is_small = has_sizes;
  for (const int64_t size : weight.shape) {
    // A size of 0 must not hide the others.
    is_small = is_small &&
               !__builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) &&
               elements <= kMostElements;
  }
  if (!is_small) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("the shape of '{}' is [{}]; allowed: two or more sizes, at most "
                    "2^56 elements",
                    weight.name,
                    fmt::join(weight.shape, ", ")));
  }
  const std::size_t row_dimension = weight.use == "transposed_convolution" ? 1 : 0;
  MatrixSize size{weight.shape[row_dimension], 1};
  for (std::size_t i = 0; i < weight.shape.size(); ++i) {
    size.columns *= i == row_dimension ? 1 : weight.shape[i];
  }
  return size;
}

bool is_packed(const StoredWeight& weight) {
  return weight.bits < 8;
}

bool is_matrix(const StoredWeight& weight) {
  return weight.bits != 16 && (is_packed(weight) || weight.granularity == "group");
}

bool is_shared(const StoredWeight& weight) {
  return weight.bits != 16 && !weight.has_input_scale;
}

StoredTensors stored_tensors(const StoredWeight& weight) {
  const MatrixSize size = matrix_size(weight);
  const std::string base = base_name(weight);
  StoredTensors tensors;
  if (is_packed(weight)) {
    tensors.codes = {base + "_packed",
                     {WeightType::kI32},
                     {size.rows, packed_words(size.columns, weight.bits)}};
    tensors.packed_shape = {base + "_shape", {WeightType::kI64}, {2}};
  } else {
    tensors.codes = {
        base,
        {WeightType::kI8},
        is_matrix(weight) ? std::vector{size.rows, size.columns} : weight.shape};
  }
  if (weight.bits == 16) {
    tensors.codes.types = {WeightType::kBF16, WeightType::kF16};
  } else {
    const std::vector<int64_t> shape = scale_shape(weight, size);
    tensors.scale = {base + "_scale", {WeightType::kF32}, shape};
    if (weight.scheme == "asymmetric") {
      tensors.zero_point = zero_point_tensor(weight, base + "_zero_point", shape);
    }
  }
  if (weight.activation == "static") {
    const std::string prefix = input_prefix(base);
    tensors.activation_scale = {prefix + "input_scale", {WeightType::kF32}, {1}};
    tensors.activation_zero_point = {prefix + "input_zero_point", {WeightType::kI8}, {1}};
  }
  if (weight.has_input_scale) {
    tensors.input_scale = {base + "_channel_scale", {WeightType::kF32}, {size.columns}};
  }
  return tensors;
}

}  // namespace sizewise::quantizing

#include "quantizing/weight_tensors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/pack_bits.hpp"
#include "quantizing/parameter_name.hpp"

namespace sizewise::quantizing {
namespace {

/// Their codes of an input are signed, ours are not: the same code less 128.
constexpr int64_t kInputOffset = 128;

constexpr std::array<std::pair<WeightUse, const char*>, 4> kUses = {
    {{WeightUse::kLinear, "linear"},
     {WeightUse::kConvolution, "convolution"},
     {WeightUse::kTransposedConvolution, "transposed_convolution"},
     {WeightUse::kEmbedding, "embedding"}}};

constexpr std::array<std::pair<LayerKind, const char*>, 5> kKinds = {
    {{LayerKind::kLinear, "linear"},
     {LayerKind::kConv1d, "conv1d"},
     {LayerKind::kConv2d, "conv2d"},
     {LayerKind::kConv3d, "conv3d"},
     {LayerKind::kEmbedding, "embedding"}}};

constexpr std::array<std::pair<Scheme, const char*>, 2> kSchemes = {
    {{Scheme::kSymmetric, "symmetric"}, {Scheme::kAsymmetric, "asymmetric"}}};

constexpr std::array<std::pair<Granularity, const char*>, 3> kGranularities = {
    {{Granularity::kTensor, "tensor"},
     {Granularity::kChannel, "channel"},
     {Granularity::kGroup, "group"}}};

constexpr std::array<std::pair<ActivationTreatment, const char*>, 4> kActivations = {
    {{ActivationTreatment::kNone, "none"},
     {ActivationTreatment::kDynamicPerTensor, "dynamic_per_tensor"},
     {ActivationTreatment::kDynamicPerToken, "dynamic_per_token"},
     {ActivationTreatment::kStatic, "static"}}};

template <class Value, std::size_t kCount>
std::string text_of(const std::array<std::pair<Value, const char*>, kCount>& texts,
                    Value value) {
  const auto* const found =
      std::find_if(texts.begin(), texts.end(), [&](const auto& entry) {
        return entry.first == value;
      });
  if (found == texts.end()) {
    throw Error(ErrorCode::kInternal, "a value of an enumeration that files do not know");
  }
  return found->second;
}

template <class Value, std::size_t kCount>
Value value_of(const std::array<std::pair<Value, const char*>, kCount>& texts,
               std::string_view text) {
  const auto* const found =
      std::find_if(texts.begin(), texts.end(), [&](const auto& entry) {
        return entry.second == text;
      });
  if (found == texts.end()) {
    throw Error(ErrorCode::kInternal, fmt::format("no value is called '{}'", text));
  }
  return found->first;
}

std::span<const int8_t> codes_in(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<int8_t>(), static_cast<std::size_t>(tensor.numel())};
}

/// {rows, columns} packed into words.
at::Tensor packed(const at::Tensor& matrix, int bits, PackedLines lines) {
  const int64_t rows = matrix.size(0);
  const int64_t columns = matrix.size(1);
  at::Tensor words = lines == PackedLines::kRows
                         ? at::empty({rows, packed_words(columns, bits)}, at::kInt)
                         : at::empty({packed_words(rows, bits), columns}, at::kInt);
  pack_codes(
      codes_in(matrix),
      rows,
      columns,
      bits,
      lines,
      {words.mutable_data_ptr<int32_t>(), static_cast<std::size_t>(words.numel())});
  return words;
}

/// Undoes weight_from_matrix(), of any type.
at::Tensor as_matrix(const at::Tensor& tensor, const StoredWeight& stored) {
  const MatrixSize size = matrix_size(stored);
  const at::Tensor rows_first =
      stored.use == "transposed_convolution" ? tensor.transpose(0, 1) : tensor;
  return rows_first.reshape({size.rows, size.columns}).contiguous();
}

StoredWeight description_of(const QuantizedWeight& weight) {
  const QuantizedLayer& numbers = weight.numbers;
  StoredWeight stored;
  stored.name = weight.name;
  stored.names = weight.names;
  stored.use = text_of(kUses, weight.use);
  stored.kind = text_of(kKinds, weight.kind);
  stored.keeps_float = weight.keeps_float;
  stored.shape = weight.shape;
  stored.bits = numbers.bits;
  stored.scheme = text_of(kSchemes, numbers.scheme);
  stored.granularity = text_of(kGranularities, numbers.granularity);
  stored.group_size = numbers.granularity == Granularity::kGroup ? numbers.group_size : 0;
  stored.activation = text_of(kActivations, numbers.activation);
  if (numbers.activation == ActivationTreatment::kStatic) {
    stored.activation_scale = numbers.activation_scale;
    stored.activation_zero_point = numbers.activation_zero_point;
  }
  stored.has_input_scale = numbers.input_scale.defined();
  return stored;
}

/// Adds tensors in the order of StoredTensors::all().
class TensorList {
 public:
  explicit TensorList(EncodedWeight& weight) : weight_(weight) {}

  void add(const StoredTensor& stored, const at::Tensor& tensor) {
    weight_.tensors.emplace_back(stored.name, tensor.contiguous());
  }
  void add(const std::optional<StoredTensor>& stored, const at::Tensor& tensor) {
    if (stored) {
      add(*stored, tensor);
    }
  }

 private:
  EncodedWeight& weight_;
};

at::Tensor stored_zero_points(const QuantizedLayer& numbers, const StoredTensor& stored) {
  if (stored.types.front() == checkpoint::WeightType::kI32) {
    return packed(numbers.zero_points.contiguous(), numbers.bits, PackedLines::kColumns);
  }
  return numbers.zero_points.reshape(stored.shape);
}

/// The tensors of one weight as a file held them, by what they are.
class StoredValues {
 public:
  StoredValues(const StoredWeight& stored, const std::vector<at::Tensor>& tensors)
      : stored_(stored), places_(stored_tensors(stored)), tensors_(tensors) {}

  [[nodiscard]] const StoredTensors& places() const { return places_; }

  /// Takes the next one.
  const at::Tensor& take() { return tensors_[next_++]; }

  [[noreturn]] void refuse(const StoredTensor& place, const std::string& what) const {
    throw Error(ErrorCode::kInput, fmt::format("tensor '{}' {}", place.name, what));
  }

  /// float32, all positive and finite.
  at::Tensor take_scales(const StoredTensor& place) {
    const at::Tensor& scales = take();
    const auto* const values = scales.const_data_ptr<float>();
    const auto* const bad =
        std::find_if(values, values + scales.numel(), [](float value) {
          return !(value > 0) || !std::isfinite(value);
        });
    if (bad != values + scales.numel()) {
      refuse(place, fmt::format("holds {}; allowed: positive finite numbers", *bad));
    }
    return scales;
  }

  at::Tensor take_unpacked(const StoredTensor& place,
                           int64_t rows,
                           int64_t columns,
                           PackedLines lines) {
    const at::Tensor& words = take();
    at::Tensor codes = at::empty({rows, columns}, at::kChar);
    if (!unpack_codes(
            {words.const_data_ptr<int32_t>(), static_cast<std::size_t>(words.numel())},
            rows,
            columns,
            stored_.bits,
            lines,
            {codes.mutable_data_ptr<int8_t>(),
             static_cast<std::size_t>(codes.numel())})) {
      refuse(place,
             fmt::format("has bits set behind the last code of {} bits", stored_.bits));
    }
    return codes;
  }

  /// int8, each of as many bits as codes have.
  at::Tensor take_zero_points(const StoredTensor& place) {
    const at::Tensor& points = take();
    const int limit = 1 << (stored_.bits - 1);
    for (const int8_t point : codes_in(points)) {
      if (point < -limit || point >= limit) {
        refuse(place,
               fmt::format("holds {}; allowed with {} bits: {} to {}",
                           point,
                           stored_.bits,
                           -limit,
                           limit - 1));
      }
    }
    return points;
  }

  void check_shape(const StoredTensor& place, MatrixSize size) {
    const auto* const shape = take().const_data_ptr<int64_t>();
    if (shape[0] != size.rows || shape[1] != size.columns) {
      refuse(place,
             fmt::format("holds {}, {}, and must hold {}, {} by config.json",
                         shape[0],
                         shape[1],
                         size.rows,
                         size.columns));
    }
  }

  void check_activation_scale(const StoredTensor& place) {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a place has it
    const auto expected = static_cast<float>(*stored_.activation_scale);
    const float found = *take().const_data_ptr<float>();
    if (found != expected) {
      refuse(place, fmt::format("holds {}, and config.json says {}", found, expected));
    }
  }

  void check_activation_zero_point(const StoredTensor& place) {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a place has it
    const int64_t expected = *stored_.activation_zero_point - kInputOffset;
    const auto found = static_cast<int64_t>(*take().const_data_ptr<int8_t>());
    if (found != expected) {
      refuse(place,
             fmt::format("holds {}, and must hold {} by config.json", found, expected));
    }
  }

 private:
  const StoredWeight& stored_;
  StoredTensors places_;
  const std::vector<at::Tensor>& tensors_;
  std::size_t next_ = 0;
};

QuantizedWeight weight_of(const StoredWeight& stored) {
  QuantizedWeight weight;
  weight.name = stored.name;
  weight.names = stored.names;
  weight.use = value_of(kUses, stored.use);
  weight.kind = value_of(kKinds, stored.kind);
  weight.keeps_float = stored.keeps_float;
  weight.shape = stored.shape;
  weight.numbers.bits = stored.bits;
  weight.numbers.scheme = value_of(kSchemes, stored.scheme);
  weight.numbers.granularity = value_of(kGranularities, stored.granularity);
  weight.numbers.group_size = stored.group_size;
  weight.numbers.activation = value_of(kActivations, stored.activation);
  weight.numbers.activation_scale = stored.activation_scale;
  weight.numbers.activation_zero_point = stored.activation_zero_point;
  return weight;
}

/// {1, 1}, {N, 1} or {N, groups}.
std::vector<int64_t> scale_matrix(const StoredWeight& stored, MatrixSize size) {
  if (stored.granularity == "tensor") {
    return {1, 1};
  }
  return {size.rows,
          stored.granularity == "group" ? size.columns / stored.group_size : 1};
}

void take_zero_points(StoredValues& values,
                      const std::vector<int64_t>& shape,
                      QuantizedLayer& numbers) {
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): the caller saw it
  const StoredTensor& place = *values.places().zero_point;
  numbers.zero_points =
      place.types.front() == checkpoint::WeightType::kI32
          ? values.take_unpacked(place, shape[0], shape[1], PackedLines::kColumns)
          : values.take_zero_points(place).reshape(shape);
}

}  // namespace

EncodedWeight encoded(const QuantizedWeight& weight) {
  EncodedWeight result{description_of(weight), {}};
  const MatrixSize size = matrix_size(result.stored);
  const QuantizedLayer& numbers = weight.numbers;
  check_numbers(layer_name(weight.name), numbers, size.rows, size.columns);
  const StoredTensors places = stored_tensors(result.stored);
  TensorList list(result);
  if (is_packed(result.stored)) {
    list.add(places.codes,
             packed(numbers.codes.contiguous(), numbers.bits, PackedLines::kRows));
  } else {
    list.add(places.codes,
             is_matrix(result.stored)
                 ? numbers.codes
                 : weight_from_matrix(numbers.codes, weight.shape, weight.use));
  }
  if (places.scale) {
    list.add(*places.scale, numbers.scales.reshape(places.scale->shape));
  }
  if (places.zero_point) {
    list.add(*places.zero_point, stored_zero_points(numbers, *places.zero_point));
  }
  if (places.packed_shape) {
    at::Tensor shape = at::empty({2}, at::kLong);
    shape.mutable_data_ptr<int64_t>()[0] = size.rows;
    shape.mutable_data_ptr<int64_t>()[1] = size.columns;
    list.add(*places.packed_shape, shape);
  }
  if (places.activation_scale) {
    // NOLINTBEGIN(bugprone-unchecked-optional-access): both places and values, or none
    list.add(*places.activation_scale,
             at::full({1}, *result.stored.activation_scale, at::kFloat));
    list.add(
        *places.activation_zero_point,
        at::full({1}, *result.stored.activation_zero_point - kInputOffset, at::kChar));
    // NOLINTEND(bugprone-unchecked-optional-access)
  }
  list.add(places.input_scale, numbers.input_scale);
  return result;
}

QuantizedWeight decoded_weight(const StoredWeight& stored,
                               const std::vector<at::Tensor>& tensors) {
  QuantizedWeight weight = weight_of(stored);
  const MatrixSize size = matrix_size(stored);
  StoredValues values(stored, tensors);
  const StoredTensors& places = values.places();
  if (is_packed(stored)) {
    weight.numbers.codes =
        values.take_unpacked(places.codes, size.rows, size.columns, PackedLines::kRows);
  } else {
    const at::Tensor& codes = values.take();
    weight.numbers.codes = is_matrix(stored) ? codes : as_matrix(codes, stored);
  }
  const std::vector<int64_t> shape = scale_matrix(stored, size);
  if (places.scale) {
    weight.numbers.scales = values.take_scales(*places.scale).reshape(shape);
  }
  if (places.zero_point) {
    take_zero_points(values, shape, weight.numbers);
  }
  if (places.packed_shape) {
    values.check_shape(*places.packed_shape, size);
  }
  if (places.activation_scale) {
    values.check_activation_scale(*places.activation_scale);
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): with the scale
    values.check_activation_zero_point(*places.activation_zero_point);
  }
  if (places.input_scale) {
    weight.numbers.input_scale = values.take_scales(*places.input_scale);
  }
  return weight;
}

}  // namespace sizewise::quantizing

#include "quantizing/weight_error.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "quantizing/parallel_parts.hpp"

namespace sizewise::quantizing {
namespace {

/// Sums of squares: in double, so that neither large nor small weights leave its range.
struct Squares {
  double weight = 0.0;
  double error = 0.0;

  void add(const Squares& other) {
    weight += other.weight;
    error += other.error;
  }
};

/// Several sums beside each other, which the compiler can compute at once.
template <class Decode>
Squares squares_of(const float* weight, int64_t count, const Decode& decode) {
  constexpr int64_t kLanes = 8;
  double weights[kLanes] = {};
  double errors[kLanes] = {};
  const auto add = [&](int64_t i, int64_t lane) {
    const double value = weight[i];
    const double error = value - static_cast<double>(decode(i));
    weights[lane] += value * value;
    errors[lane] += error * error;
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      add(i + lane, lane);
    }
  }
  for (; i < count; ++i) {
    add(i, 0);
  }
  Squares total;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    total.add({weights[lane], errors[lane]});
  }
  return total;
}

/// Of weights that share a scale.
/// @param input_scale of the first of them; nullptr where inputs are not divided
Squares squares_of_group(const float* weight,
                         const int8_t* codes,
                         const float* input_scale,
                         int64_t count,
                         float scale,
                         int point) {
  if (input_scale == nullptr) {
    return squares_of(weight, count, [=](int64_t i) {
      return static_cast<float>(codes[i] - point) * scale;
    });
  }
  return squares_of(weight, count, [=](int64_t i) {
    return static_cast<float>(codes[i] - point) * scale / input_scale[i];
  });
}

Squares squares_of_row(const float* weight, const QuantizedLayer& numbers, int64_t row) {
  const int64_t columns = numbers.codes.size(1);
  const int64_t groups = numbers.scales.size(1);
  const int64_t first = numbers.scales.size(0) == 1 ? 0 : row * groups;
  const auto* const scales = numbers.scales.const_data_ptr<float>() + first;
  const auto* const points = numbers.zero_points.defined()
                                 ? numbers.zero_points.const_data_ptr<int8_t>() + first
                                 : nullptr;
  const auto* const inputs = numbers.input_scale.defined()
                                 ? numbers.input_scale.const_data_ptr<float>()
                                 : nullptr;
  const auto* const codes = numbers.codes.const_data_ptr<int8_t>() + row * columns;
  Squares total;
  for (int64_t group = 0, begin = 0; group < groups; ++group) {
    const int64_t size = columns / groups;
    total.add(squares_of_group(weight + begin,
                               codes + begin,
                               inputs == nullptr ? nullptr : inputs + begin,
                               size,
                               scales[group],
                               points == nullptr ? 0 : points[group]));
    begin += size;
  }
  return total;
}

template <class Half>
Squares squares_of_half_row(const float* weight,
                            const QuantizedLayer& numbers,
                            int64_t row) {
  const int64_t columns = numbers.codes.size(1);
  const auto* const codes = numbers.codes.const_data_ptr<Half>() + row * columns;
  if (!numbers.input_scale.defined()) {
    return squares_of(weight, columns, [=](int64_t i) {
      return static_cast<float>(codes[i]);
    });
  }
  const auto* const inputs = numbers.input_scale.const_data_ptr<float>();
  return squares_of(weight, columns, [=](int64_t i) {
    return static_cast<float>(codes[i]) / inputs[i];
  });
}

/// With tensors that are contiguous.
QuantizedLayer contiguous(QuantizedLayer numbers) {
  for (at::Tensor* tensor :
       {&numbers.codes, &numbers.scales, &numbers.zero_points, &numbers.input_scale}) {
    if (tensor->defined()) {
      *tensor = tensor->contiguous();
    }
  }
  return numbers;
}

}  // namespace

double weight_sqnr_db(const at::Tensor& weight, const QuantizedLayer& given) {
  const QuantizedLayer numbers = contiguous(given);
  const int64_t columns = weight.size(1);
  const auto* const values = weight.const_data_ptr<float>();
  // Summed row by row, so that the number of threads changes nothing.
  std::vector<Squares> rows(static_cast<std::size_t>(weight.size(0)));
  const int64_t parts = parts_of_work(weight.numel());
  run_parts(parts, [&](int64_t part) {
    const int64_t end = first_of_part(weight.size(0), part + 1, parts);
    for (int64_t row = first_of_part(weight.size(0), part, parts); row < end; ++row) {
      const float* const first = values + row * columns;
      rows[static_cast<std::size_t>(row)] =
          numbers.bits != 16 ? squares_of_row(first, numbers, row)
          : numbers.codes.scalar_type() == at::kHalf
              ? squares_of_half_row<c10::Half>(first, numbers, row)
              : squares_of_half_row<c10::BFloat16>(first, numbers, row);
    }
  });
  Squares total;
  for (const Squares& row : rows) {
    total.add(row);
  }
  if (!(total.error > 0)) {
    return std::numeric_limits<double>::infinity();
  }
  constexpr double kDecibel = 10.0;
  return kDecibel * std::log10(total.weight / total.error);
}

}  // namespace sizewise::quantizing

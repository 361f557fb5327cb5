#include "quantizing/quantized_weight.hpp"

#include <utility>

namespace sizewise::quantizing {
namespace {

/// A number for each weight from one for each group: {N, G} to {N, K}.
at::Tensor for_each_column(const at::Tensor& numbers, int64_t rows, int64_t columns) {
  const int64_t groups = numbers.size(1);
  if (groups == 0 || columns == 0) {
    return numbers.new_zeros({rows, columns});
  }
  return numbers.expand({rows, groups})
      .unsqueeze(2)
      .expand({rows, groups, columns / groups})
      .reshape({rows, columns});
}

}  // namespace

at::Tensor weight_matrix(const at::Tensor& weight, WeightUse use) {
  at::Tensor matrix = weight.detach().to(at::kFloat);
  if (use == WeightUse::kTransposedConvolution) {
    matrix = matrix.transpose(0, 1);
  }
  const int64_t rows = matrix.size(0);
  const int64_t columns = c10::multiply_integers(matrix.sizes().slice(1));
  return matrix.reshape({rows, columns}).contiguous();
}

at::Tensor weight_from_matrix(const at::Tensor& matrix,
                              const std::vector<int64_t>& shape,
                              WeightUse use) {
  if (use != WeightUse::kTransposedConvolution) {
    return matrix.reshape(shape);
  }
  std::vector<int64_t> turned = shape;
  std::swap(turned[0], turned[1]);
  return matrix.reshape(turned).transpose(0, 1).contiguous();
}

at::Tensor decoded(const QuantizedLayer& numbers) {
  at::Tensor matrix = numbers.codes.to(at::kFloat);
  const int64_t rows = matrix.size(0);
  const int64_t columns = matrix.size(1);
  if (numbers.bits < 16) {
    if (numbers.zero_points.defined()) {
      matrix =
          matrix.sub(for_each_column(numbers.zero_points.to(at::kFloat), rows, columns));
    }
    matrix = matrix.mul(for_each_column(numbers.scales, rows, columns));
  }
  return numbers.input_scale.defined() ? matrix.div(numbers.input_scale) : matrix;
}

}  // namespace sizewise::quantizing

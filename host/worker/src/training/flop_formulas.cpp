#include "training/flop_formulas.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sizewise::training {
namespace {

using Formula = int64_t (*)(OperatorArguments);

c10::IntArrayRef shape(const c10::IValue& argument) {
  return argument.toTensor().sizes();
}

int64_t product(c10::IntArrayRef sizes, std::size_t first = 0) {
  int64_t result = 1;
  for (std::size_t i = first; i < sizes.size(); ++i) {
    result *= sizes[i];
  }
  return result;
}

bool mask_at(const c10::IValue& mask, std::size_t index) {
  return mask.toBoolList().get(index);
}

// {M, K} x {K, N}, or {B, M, K} x {B, K, N}.
int64_t product_flops(c10::IntArrayRef left, c10::IntArrayRef right) {
  return 2 * product(left) * right.back();
}

int64_t mm(OperatorArguments arguments) {
  return product_flops(shape(arguments[0]), shape(arguments[1]));
}

int64_t addmm(OperatorArguments arguments) {
  return product_flops(shape(arguments[1]), shape(arguments[2]));
}

int64_t mv(OperatorArguments arguments) {
  return 2 * product(shape(arguments[0]));
}

int64_t addmv(OperatorArguments arguments) {
  return 2 * product(shape(arguments[1]));
}

// Input {..., K}, weight {N, K}.
int64_t linear_flops(c10::IntArrayRef input, c10::IntArrayRef weight) {
  return 2 * product(input) * weight.front();
}

int64_t mkldnn_linear(OperatorArguments arguments) {
  return linear_flops(shape(arguments[0]), shape(arguments[1]));
}

int64_t mkldnn_linear_backward(OperatorArguments arguments) {
  const int64_t one = linear_flops(shape(arguments[0]), shape(arguments[2]));
  return one * (static_cast<int64_t>(mask_at(arguments[3], 0)) +
                static_cast<int64_t>(mask_at(arguments[3], 1)));
}

/// The positions of a convolution's output.
int64_t output_positions(c10::IntArrayRef input,
                         c10::IntArrayRef weight,
                         const std::vector<int64_t>& stride,
                         const std::vector<int64_t>& padding,
                         const std::vector<int64_t>& dilation) {
  // A list of one number stands for every dimension.
  const auto at = [](const std::vector<int64_t>& list, std::size_t i) {
    return list[std::min(i, list.size() - 1)];
  };
  int64_t positions = 1;
  for (std::size_t i = 0; i + 2 < input.size(); ++i) {
    const int64_t reach = at(dilation, i) * (weight[i + 2] - 1) + 1;
    positions *= (input[i + 2] + 2 * at(padding, i) - reach) / at(stride, i) + 1;
  }
  return positions;
}

// Every output position (input position where transposed) meets the whole kernel, whose
// second dimension is already divided by the groups.
int64_t convolution(OperatorArguments arguments) {
  const c10::IntArrayRef input = shape(arguments[0]);
  const c10::IntArrayRef weight = shape(arguments[1]);
  const int64_t positions = arguments[6].toBool()
                                ? product(input, 2)
                                : output_positions(input,
                                                   weight,
                                                   arguments[3].toIntVector(),
                                                   arguments[4].toIntVector(),
                                                   arguments[5].toIntVector());
  return 2 * input.front() * positions * product(weight);
}

// Gradients of the input and of the weight are convolutions themselves. PyTorch counts
// the weight's as if there were one group, and so do we: see docs/decisions/0020.
int64_t convolution_backward(OperatorArguments arguments) {
  const c10::IntArrayRef gradient = shape(arguments[0]);
  const c10::IntArrayRef input = shape(arguments[1]);
  const c10::IntArrayRef weight = shape(arguments[2]);
  const int64_t positions = product(arguments[7].toBool() ? input : gradient, 2);
  int64_t flops = 0;
  if (mask_at(arguments[10], 0)) {
    flops += 2 * input.front() * positions * product(weight);
  }
  if (mask_at(arguments[10], 1)) {
    flops += 2 * input.front() * positions * input[1] * gradient[1] * product(weight, 2);
  }
  return flops;
}

// Query {B, H, S, D}, key {B, H, T, D}, value {B, H, T, V}: the scores, and their product
// with the values. The grouped heads of keys are repeated.
int64_t attention_flops(c10::IntArrayRef query, c10::IntArrayRef value) {
  const int64_t rows = product(query) / query.back();
  return 2 * rows * value[value.size() - 2] * (query.back() + value.back());
}

int64_t attention(OperatorArguments arguments) {
  return attention_flops(shape(arguments[0]), shape(arguments[2]));
}

// A gradient for each factor of both products. What a fused kernel computes a second time
// is its own affair: the count is the same whichever kernel runs.
int64_t attention_backward(OperatorArguments arguments) {
  return 2 * attention_flops(shape(arguments[1]), shape(arguments[3]));
}

// Every input row meets both weight matrices of its layer.
int64_t rnn_layer(OperatorArguments arguments) {
  const c10::IntArrayRef input = shape(arguments[0]);
  return 2 * product(input) / input.back() *
         (product(shape(arguments[1])) + product(shape(arguments[2])));
}

int64_t rnn_layer_backward(OperatorArguments arguments) {
  return 2 * rnn_layer(arguments);
}

int64_t cudnn_rnn(OperatorArguments arguments) {
  const c10::IntArrayRef input = shape(arguments[0]);
  int64_t weights = 0;
  for (const at::Tensor& weight : arguments[1].toTensorVector()) {
    weights += weight.dim() >= 2 ? weight.numel() : 0;
  }
  return 2 * product(input) / input.back() * weights;
}

int64_t cudnn_rnn_backward(OperatorArguments arguments) {
  return cudnn_rnn(arguments) * (1 + static_cast<int64_t>(mask_at(arguments[21], 3)));
}

const std::unordered_map<std::string_view, Formula>& formulas() {
  static const std::unordered_map<std::string_view, Formula> kFormulas = {
      {"aten::mm", &mm},
      {"aten::bmm", &mm},
      {"aten::_scaled_mm", &mm},
      {"aten::_int_mm", &mm},
      {"aten::addmm", &addmm},
      {"aten::baddbmm", &addmm},
      {"aten::_addmm_activation", &addmm},
      {"aten::mv", &mv},
      {"aten::dot", &mv},
      {"aten::vdot", &mv},
      {"aten::addmv", &addmv},
      {"aten::mkldnn_linear", &mkldnn_linear},
      {"aten::mkldnn_linear_backward", &mkldnn_linear_backward},
      {"aten::convolution", &convolution},
      {"aten::_convolution", &convolution},
      {"aten::convolution_overrideable", &convolution},
      {"aten::convolution_backward", &convolution_backward},
      {"aten::_scaled_dot_product_flash_attention", &attention},
      {"aten::_scaled_dot_product_flash_attention_for_cpu", &attention},
      {"aten::_scaled_dot_product_efficient_attention", &attention},
      {"aten::_scaled_dot_product_cudnn_attention", &attention},
      {"aten::_scaled_dot_product_fused_attention_overrideable", &attention},
      {"aten::_scaled_dot_product_flash_attention_backward", &attention_backward},
      {"aten::_scaled_dot_product_flash_attention_for_cpu_backward", &attention_backward},
      {"aten::_scaled_dot_product_efficient_attention_backward", &attention_backward},
      {"aten::_scaled_dot_product_cudnn_attention_backward", &attention_backward},
      {"aten::_scaled_dot_product_fused_attention_overrideable_backward",
       &attention_backward},
      {"aten::mkldnn_rnn_layer", &rnn_layer},
      {"aten::mkldnn_rnn_layer_backward", &rnn_layer_backward},
      {"aten::_cudnn_rnn", &cudnn_rnn},
      {"aten::_cudnn_rnn_backward", &cudnn_rnn_backward},
  };
  return kFormulas;
}

/// An in-place operator has the formula of the other one.
std::string_view base_name(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

/// Whether one of the words that a name is made of tells of matrix work.
bool has_telling_name(std::string_view name) {
  constexpr std::array<std::string_view, 10> kParts = {"conv",
                                                       "matmul",
                                                       "attention",
                                                       "linear",
                                                       "lstm",
                                                       "gru",
                                                       "rnn",
                                                       "einsum",
                                                       "cdist",
                                                       "multi_head"};
  constexpr std::string_view kGateArithmetic = "_thnn_";
  if (name.find(kGateArithmetic) != std::string_view::npos) {
    return false;  // the elementwise part of a recurrent cell
  }
  if (std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
        return name.find(part) != std::string_view::npos;
      })) {
    return true;
  }
  // "mm" only as a word's end: addmm and bmm, but not gamma.
  for (std::size_t at = name.find("mm"); at != std::string_view::npos;
       at = name.find("mm", at + 1)) {
    if (at + 2 == name.size() || name[at + 2] == '_') {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<int64_t> operator_flops(std::string_view name,
                                      OperatorArguments arguments) {
  const auto found = formulas().find(base_name(name));
  if (found == formulas().end()) {
    return std::nullopt;
  }
  return found->second(arguments);
}

bool looks_like_matrix_work(std::string_view name, OperatorArguments arguments) {
  constexpr std::string_view kOwnNamespace = "aten::";
  if (name.starts_with(kOwnNamespace) && !has_telling_name(base_name(name))) {
    return false;
  }
  int matrices = 0;
  const auto look_at = [&matrices](const at::Tensor& tensor) {
    matrices +=
        tensor.defined() && tensor.is_floating_point() && tensor.dim() >= 2 ? 1 : 0;
  };
  for (const c10::IValue& argument : arguments) {
    if (argument.isTensor()) {
      look_at(argument.toTensor());
    } else if (argument.isTensorList()) {
      for (const at::Tensor& tensor : argument.toTensorVector()) {
        look_at(tensor);
      }
    }
  }
  return matrices >= 2;
}

}  // namespace sizewise::training

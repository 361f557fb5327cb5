#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

#include "sizewise/error.hpp"

#include "quantizing/quantized_kernel.hpp"
#include "quantizing/quantized_weight.hpp"

// What the tests of quantized kernels share: made-up weights and what calls throw.
namespace sizewise::quantizing::test {

/// A layer to make up.
struct LayerPlan {
  int64_t channels = 8;
  int64_t columns = 64;
  int bits = 8;
  Scheme scheme = Scheme::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 0;
  ActivationTreatment activation = ActivationTreatment::kDynamicPerToken;
  bool worst_case = false;  ///< codes and zero points at the ends of what bits hold
};

/// Integers at random, or its two ends by turns.
inline at::Tensor made_codes(const std::vector<int64_t>& shape, int bits, bool ends) {
  const int64_t low = -(int64_t{1} << (bits - 1));
  if (!ends) {
    return torch::randint(low, -low, shape, torch::kChar);
  }
  const at::Tensor sign = torch::randint(0, 2, {shape[0], 1}, torch::kLong);
  return (sign * (-2 * low - 1) + low).expand(shape).to(torch::kChar).contiguous();
}

/// Numbers as a quantizer would give them, at random from the generator's seed.
inline QuantizedLayer made_numbers(const LayerPlan& plan) {
  QuantizedLayer numbers;
  numbers.bits = plan.bits;
  numbers.scheme = plan.scheme;
  numbers.granularity = plan.granularity;
  numbers.group_size = plan.group_size;
  numbers.activation = plan.activation;
  const std::vector<int64_t> shape = {plan.channels, plan.columns};
  if (plan.bits == 16) {
    numbers.codes = torch::randn(shape).to(torch::kBFloat16);
    return numbers;
  }
  numbers.codes = made_codes(shape, plan.bits, plan.worst_case);
  std::vector<int64_t> scales = {plan.channels, 1};
  if (plan.granularity == Granularity::kTensor) {
    scales = {1, 1};
  } else if (plan.granularity == Granularity::kGroup) {
    scales = {plan.channels, plan.columns / plan.group_size};
  }
  numbers.scales = torch::rand(scales) + 0.01;
  if (plan.scheme == Scheme::kAsymmetric) {
    numbers.zero_points = made_codes(scales, plan.bits, plan.worst_case);
  }
  if (plan.activation == ActivationTreatment::kStatic) {
    numbers.activation_scale = 0.02;
    numbers.activation_zero_point = 100;
  }
  return numbers;
}

inline QuantizedWeight made_weight(const LayerPlan& plan,
                                   WeightUse use = WeightUse::kLinear) {
  QuantizedWeight weight;
  weight.name = "blocks.0.fc1.weight";
  weight.names = {weight.name};
  weight.use = use;
  weight.kind = use == WeightUse::kEmbedding ? LayerKind::kEmbedding : LayerKind::kLinear;
  weight.shape = {plan.channels, plan.columns};
  weight.numbers = made_numbers(plan);
  return weight;
}

inline std::shared_ptr<QuantizedKernel> made_kernel(const LayerPlan& plan) {
  return make_kernel(made_weight(plan));
}

/// What a call throws; an Error of no message where it throws nothing.
template <class Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, ""};
}

}  // namespace sizewise::quantizing::test

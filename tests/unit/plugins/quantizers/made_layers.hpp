#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/square.h>

#include "sizewise/quantizer.hpp"

// Layers to quantize, and what came of them, decoded by the words of the SDK's header.

namespace sizewise::quantizers {

/// Normal numbers, always the same.
inline at::Tensor normal_weight(int64_t rows,
                                int64_t columns,
                                double sigma = 0.02,
                                double mean = 0.0) {
  std::mt19937_64 generator(20240501);
  std::normal_distribution<float> values(static_cast<float>(mean),
                                         static_cast<float>(sigma));
  at::Tensor weight = at::empty({rows, columns}, at::kFloat);
  auto* const numbers = weight.mutable_data_ptr<float>();
  for (int64_t i = 0; i < weight.numel(); ++i) {
    numbers[i] = values(generator);
  }
  return weight;
}

inline LayerView layer_of(const at::Tensor& weight, LayerKind kind = LayerKind::kLinear) {
  LayerView layer;
  layer.name = "fc1";
  layer.kind = kind;
  layer.weight = weight;
  return layer;
}

/// {N, 1} or {1, 1} or {N, groups} -> what broadcasts over {N, K}.
inline at::Tensor over_columns(const at::Tensor& numbers, int64_t columns) {
  return numbers.size(1) == 1 ? numbers
                              : numbers.repeat_interleave(columns / numbers.size(1), 1);
}

inline at::Tensor decoded(const QuantizedLayer& layer) {
  if (layer.bits == 16) {
    return layer.codes.to(at::kDouble);
  }
  const int64_t columns = layer.codes.size(1);
  at::Tensor codes = layer.codes.to(at::kDouble);
  if (layer.zero_points.defined()) {
    codes = codes - over_columns(layer.zero_points.to(at::kDouble), columns);
  }
  return codes * over_columns(layer.scales.to(at::kDouble), columns);
}

/// 10 log10(sum w^2 / sum (w - decoded)^2).
inline double sqnr_db(const at::Tensor& weight, const QuantizedLayer& layer) {
  const at::Tensor exact = weight.to(at::kDouble);
  const double signal = at::square(exact).sum().item<double>();
  const double noise = at::square(exact - decoded(layer)).sum().item<double>();
  return 10.0 * std::log10(signal / noise);
}

}  // namespace sizewise::quantizers

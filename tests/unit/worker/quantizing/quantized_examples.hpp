#pragma once

#include <string>
#include <vector>

#include "quantizing/quantized_files.hpp"

namespace sizewise::quantizing {

/// A weight with random numbers, always the same for the same arguments.
struct ExampleOf {
  std::string name = {};
  LayerKind kind = LayerKind::kLinear;
  std::vector<int64_t> shape = {6, 24};
  int bits = 8;
  Scheme scheme = Scheme::kSymmetric;
  Granularity granularity = Granularity::kChannel;
  int64_t group_size = 0;
  ActivationTreatment activation = ActivationTreatment::kNone;
  bool is_transposed = false;
  bool has_input_scale = false;
  at::ScalarType half = at::kBFloat16;  ///< of 16 bits
};

[[nodiscard]] QuantizedWeight example_weight(const ExampleOf& what);

/// Weights of every number of bits, scheme, granularity, kind and treatment of inputs.
[[nodiscard]] QuantizedFiles every_kind();

/// Compares all fields, and all tensors bit by bit.
void expect_same(const QuantizedWeight& found, const QuantizedWeight& expected);

}  // namespace sizewise::quantizing

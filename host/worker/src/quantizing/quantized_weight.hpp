#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sizewise/quantizer.hpp"

#include "quantizing/layer_probe.hpp"

namespace sizewise::quantizing {

/// A weight of a module as a quantizer left it: plain data, from which a kernel is made
/// and of which files are written.
struct QuantizedWeight {
  /// Where its numbers stand in a file: the parameter's first name, such as "fc1.weight".
  std::string name;
  /// The parameter's names in the module; several where it is tied.
  std::vector<std::string> names;
  /// What the layer does with it. A weight that is an embedding too serves both from the
  /// same codes, unless `keeps_float`.
  WeightUse use = WeightUse::kLinear;
  LayerKind kind = LayerKind::kLinear;
  /// The embedding of a tied weight stays float: the module's parameter is kept in files
  /// under its own name, and `name` is another.
  bool keeps_float = false;
  std::vector<int64_t> shape;  ///< the parameter's
  /// Of the parameter as weight_matrix() makes it {N, K}; of bits 16 `codes` is the
  /// matrix itself in bfloat16 or float16.
  QuantizedLayer numbers;
};

/// A weight as a matrix {N, K}, contiguous float32: a row for each output channel (of an
/// embedding for each entry), the rest flattened.
/// @param use of a transposed convolution the weight is {inputs, outputs, ...}: its first
///   two dimensions change places
[[nodiscard]] at::Tensor weight_matrix(const at::Tensor& weight, WeightUse use);

/// The weight of such a shape that a matrix {N, K} stands for: undoes weight_matrix().
[[nodiscard]] at::Tensor weight_from_matrix(const at::Tensor& matrix,
                                            const std::vector<int64_t>& shape,
                                            WeightUse use);

/// The float matrix {N, K} that codes stand for, the input scale taken back.
[[nodiscard]] at::Tensor decoded(const QuantizedLayer& numbers);

/// Refuses numbers that no kernel can run: types, shapes, codes beyond their bits, scales
/// that are not positive and finite, a group size that does not divide.
/// @throws Error kQuantization naming the layer and the field
void check_numbers(const std::string& name,
                   const QuantizedLayer& numbers,
                   int64_t rows,
                   int64_t columns);

}  // namespace sizewise::quantizing

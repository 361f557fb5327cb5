#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/weight_type.hpp"

// How a quantized weight stands in files: what describes it, and which tensors hold it.
// Without LibTorch, so that a fuzzer reaches it.

namespace sizewise::quantizing {

/// A quantized weight as config.json describes it. Its texts are those of the SDK's and
/// of this folder's enumerations.
struct StoredWeight {
  std::string name;                ///< of the parameter, such as "fc1.weight"
  std::vector<std::string> names;  ///< in the module
  std::string use = "linear";  ///< linear, convolution, transposed_convolution, embedding
  std::string kind = "linear";  ///< linear, conv1d, conv2d, conv3d, embedding
  bool keeps_float = false;
  std::vector<int64_t> shape;           ///< the parameter's
  int bits = 8;                         ///< 2 to 8, or 16
  std::string scheme = "symmetric";     ///< symmetric, asymmetric
  std::string granularity = "channel";  ///< tensor, channel, group
  int64_t group_size = 0;               ///< of granularity group, else 0
  std::string activation = "none";  ///< or dynamic_per_tensor, dynamic_per_token, static
  std::optional<double> activation_scale;        ///< of static
  std::optional<int64_t> activation_zero_point;  ///< of static, 0 to 255
  bool has_input_scale = false;
};

/// A parameter as a matrix: see weight_matrix().
struct MatrixSize {
  int64_t rows = 0;
  int64_t columns = 0;
};

/// @throws Error kInput where the shape has less than two dimensions or too many elements
[[nodiscard]] MatrixSize matrix_size(const StoredWeight& weight);

/// Whether codes are packed into words: where they have fewer than 8 bits.
[[nodiscard]] bool is_packed(const StoredWeight& weight);

/// Whether codes stand as the matrix {N, K}; else in the parameter's own shape, with
/// scales of a shape that multiplies it.
[[nodiscard]] bool is_matrix(const StoredWeight& weight);

/// Whether other programs can decode it: whether `quantization_config` speaks of it.
[[nodiscard]] bool is_shared(const StoredWeight& weight);

/// A tensor that a file must hold.
struct StoredTensor {
  std::string name;
  std::vector<checkpoint::WeightType> types;  ///< one of them
  std::vector<int64_t> shape;
};

/// The tensors of one weight.
struct StoredTensors {
  StoredTensor codes;
  std::optional<StoredTensor> scale;
  std::optional<StoredTensor> zero_point;
  std::optional<StoredTensor> packed_shape;           ///< holds N, K
  std::optional<StoredTensor> activation_scale;       ///< "input_scale"
  std::optional<StoredTensor> activation_zero_point;  ///< less 128: theirs are signed
  std::optional<StoredTensor> input_scale;            ///< "channel_scale"

  /// Those that there are.
  [[nodiscard]] std::vector<StoredTensor> all() const;
};

/// The names, types and shapes of the tensors that hold a weight
/// (docs/quantized-files.md).
/// @throws Error as matrix_size()
[[nodiscard]] StoredTensors stored_tensors(const StoredWeight& weight);

}  // namespace sizewise::quantizing

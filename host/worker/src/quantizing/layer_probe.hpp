#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace torch::nn {
class Module;
}

namespace sizewise::quantizing {

/// What a layer does with its weight.
enum class WeightUse { kLinear, kConvolution, kTransposedConvolution, kEmbedding };

/// Whether a layer can be quantized, and if not, why.
enum class LayerStatus {
  kNotRun,        ///< no forward pass has told
  kQuantizable,   ///< every use of the weight can run quantized
  kUnused,        ///< the forward pass does not use the weight
  kOtherUse,      ///< an operator uses it that cannot run quantized
  kWritten,       ///< the forward pass writes to it
  kInaccessible,  ///< the forward pass fails where the weight has no memory of its own
  kUnsuitable,    ///< not a plain strided tensor
};

/// A weight of a module, and what a forward pass does with it.
struct Layer {
  /// The weight's names, such as "fc1.weight"; several where it is tied.
  std::vector<std::string> names;
  /// The type of the module that holds it by its first name, "torch::nn::LinearImpl".
  std::string module_type;
  std::vector<int64_t> shape;
  /// The weight itself; several tensors where it is tied through others that share its
  /// memory.
  std::vector<at::Tensor> tensors;
  /// How often a layer's operator used it in the forward pass.
  std::map<WeightUse, int64_t> uses;
  /// How often others used it, by their names, such as "aten::slice.Tensor".
  std::map<std::string, int64_t> other_uses;
  LayerStatus status = LayerStatus::kNotRun;
  /// Why it cannot be quantized; empty where it can.
  std::string reason;
};

/// Finds the layers of a module: its floating parameters of 2 or more dimensions, each
/// once, in the module's order. One forward pass without gradients, in the mode that the
/// module is in, tells what is done with each; where it fails because of the weights'
/// places being taken, some more passes find which weight it is. Afterwards the module is
/// what it was, bit by bit and in the same memory, and so are LibTorch's random numbers
/// on the CPU, also where this throws. No other thread may use the module meanwhile.
/// @param forward runs one forward pass; it must be possible to repeat it
/// @throws Error kInput where the forward pass fails on the module as it is, or a
///         weight is quantized already
[[nodiscard]] std::vector<Layer> find_layers(const torch::nn::Module& module,
                                             const std::function<void()>& forward);

}  // namespace sizewise::quantizing

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

namespace torch::nn {
class Module;
}

namespace sizewise::quantizing {

/// A weight of a module: a floating parameter of 2 or more dimensions.
struct ModuleWeight {
  /// Its names, such as "fc1.weight", in the module's order; several where it is tied.
  std::vector<std::string> names;
  /// The type of the module that holds it by its first name, "torch::nn::LinearImpl".
  std::string module_type;
  /// The weight; several where it is tied through tensors that share its memory.
  std::vector<at::Tensor> tensors;
};

/// What a module and all that it holds have for tensors.
struct ModuleTensors {
  std::vector<ModuleWeight> weights;  ///< each once, in the module's order
  std::vector<at::Tensor> others;     ///< the other parameters, and buffers
};

/// Lists the tensors of a module and of all that it holds.
[[nodiscard]] ModuleTensors list_tensors(const torch::nn::Module& module);

/// A parameter by its full name, "blocks.0.fc1.bias"; undefined where there is none.
[[nodiscard]] at::Tensor parameter_named(const torch::nn::Module& module,
                                         std::string_view name);

/// Keeps what tensors hold, and writes it back, bit by bit, where it goes out of scope: a
/// forward pass may change buffers, such as the running means of a BatchNorm.
class KeptTensors {
 public:
  explicit KeptTensors(const std::vector<at::Tensor>& tensors);
  ~KeptTensors();
  KeptTensors(const KeptTensors&) = delete;
  KeptTensors& operator=(const KeptTensors&) = delete;

 private:
  struct Kept {
    at::Tensor memory;  ///< the whole storage of a tensor, as bytes
    at::Tensor copy;
  };
  std::vector<Kept> kept_;
};

}  // namespace sizewise::quantizing

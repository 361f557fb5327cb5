#pragma once

#include <memory>
#include <vector>

#include "sizewise/quantize.hpp"

#include "quantizing/quantized_files.hpp"
#include "quantizing/quantized_kernel.hpp"

namespace sizewise::quantizing {

/// What a QuantizationResult keeps of the call that made it.
struct QuantizedModel {
  std::shared_ptr<torch::nn::Module> float_model;  ///< null for weights alone
  std::shared_ptr<torch::nn::Module> model;        ///< null for weights alone
  std::vector<QuantizedWeight> weights;
  std::vector<std::shared_ptr<QuantizedKernel>> kernels;  ///< of `weights`
  TensorMap others;  ///< of weights alone: those that stay as they are
  ForwardPass forward;
  std::vector<at::Tensor> inputs;
};

}  // namespace sizewise::quantizing

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quantizing/quantized_files.hpp"
#include "quantizing/quantized_kernel.hpp"

namespace torch::nn {
class Module;
}

namespace sizewise::quantizing {

/// Makes a kernel for each weight and puts it in the place of the module's parameter,
/// which is dropped. All of them, or where this throws none.
/// @returns the kernels, in the order of the weights
/// @throws Error kInput where the module has no parameter of such a name and shape on the
///   cpu, or it is quantized already; kQuantization naming the layer where no kernel runs
///   it
std::vector<std::shared_ptr<QuantizedKernel>> install_weights(
    torch::nn::Module& module, const std::vector<QuantizedWeight>& weights);

/// What files hold of a module with such weights installed: its other parameters and
/// buffers as they are.
[[nodiscard]] QuantizedFiles files_of(const torch::nn::Module& module,
                                      std::vector<QuantizedWeight> weights);

/// Gives a float module what files hold, quantized weights among them. All of it, or
/// where this throws nothing.
/// @param source names the files in messages
/// @throws Error kInput naming the tensor that the module or the files have alone, whose
///   shape or type differs, that is quantized already or not on the cpu; kQuantization
///   naming the layer where no kernel runs it
/// @returns the kernels, in the order of the weights
std::vector<std::shared_ptr<QuantizedKernel>> load_files(torch::nn::Module& module,
                                                         const QuantizedFiles& content,
                                                         const std::string& source);

}  // namespace sizewise::quantizing

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <torch/nn/modules/linear.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

namespace {

using sizewise::DatasetInfo;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::Options;

int64_t product(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// What the data want predicted for one sample: the target's shape, and for each of its
/// labels a score per class.
std::vector<int64_t> output_shape(const DatasetInfo& data) {
  std::vector<int64_t> shape = data.target_shape;
  if (data.classes > 0) {
    shape.push_back(data.classes);
  }
  return shape;
}

/// A multilayer perceptron: ReLU after each hidden layer, inputs of any shape flattened.
class Mlp : public torch::nn::Module {
 public:
  /// @throws Error kConfiguration where width < 1 or the inputs are not float32
  Mlp(int64_t width, const Options& options, const DatasetInfo& data)
      : output_shape_(output_shape(data)) {
    check(width, data);
    int64_t features = product(data.input_shape);
    const auto hidden = options.get<int64_t>("layers");
    for (int64_t layer = 0; layer < hidden; ++layer) {
      layers_.push_back(register_module("hidden" + std::to_string(layer),
                                        torch::nn::Linear(features, width)));
      features = width;
    }
    layers_.push_back(
        register_module("output", torch::nn::Linear(features, product(output_shape_))));
  }

  /// {batch, input_shape...} -> {batch, target_shape..., classes}, or without `classes`
  /// where the targets are numbers.
  at::Tensor forward(const at::Tensor& input) {
    at::Tensor activations = input.flatten(1);
    for (std::size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
      activations = layers_[layer]->forward(activations).relu_();
    }
    at::Tensor output = layers_.back()->forward(activations);
    if (output_shape_.size() == 1) {
      return output;
    }
    std::vector<int64_t> shape{input.size(0)};
    shape.insert(shape.end(), output_shape_.begin(), output_shape_.end());
    return output.view(shape);
  }

  int64_t num_params() const { return sizewise::count_params(*this); }

  static int64_t num_params_of(int64_t width,
                               const Options& options,
                               const DatasetInfo& data) {
    check(width, data);
    return (product(data.input_shape) + 1) * width +
           (options.get<int64_t>("layers") - 1) * (width + 1) * width +
           (width + 1) * product(output_shape(data));
  }

 private:
  static void check(int64_t width, const DatasetInfo& data) {
    if (width < 1) {
      throw Error(ErrorCode::kConfiguration,
                  "mlp: the width is " + std::to_string(width) + "; allowed: 1 or more");
    }
    if (data.input_type != "float32") {
      throw Error(
          ErrorCode::kConfiguration,
          "mlp: the dataset's inputs are " + data.input_type + "; allowed: float32",
          "choose a model for such inputs: --model gpt takes tokens");
    }
  }

  std::vector<int64_t> output_shape_;
  std::vector<torch::nn::Linear> layers_;
};

}  // namespace

SIZEWISE_MODEL(Mlp)

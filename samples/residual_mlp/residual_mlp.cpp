#include <sizewise/error.hpp>
#include <sizewise/model.hpp>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>

/// x -> first(x), then x + relu(layer(x)) for each hidden layer, then last(x).
class ResidualMlp : public torch::nn::Module {
 public:
  ResidualMlp(int64_t width,
              const sizewise::Options& options,
              const sizewise::DatasetInfo& data) {
    if (width < 1 || data.classes < 1 || data.input_type != "float32") {
      throw sizewise::Error(
          sizewise::ErrorCode::kConfiguration,
          "residual_mlp: allowed: a width of 1 or more, float32 inputs and classes",
          "choose a dataset such as idx_images");
    }
    int64_t inputs = 1;
    for (const int64_t length : data.input_shape) {
      inputs *= length;
    }
    first_ = register_module("first", torch::nn::Linear(inputs, width));
    for (int64_t layer = 0; layer < options.get<int64_t>("layers"); ++layer) {
      hidden_->push_back(torch::nn::Linear(width, width));
    }
    register_module("hidden", hidden_);
    last_ = register_module("last", torch::nn::Linear(width, data.classes));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor stream = first_(input.flatten(1));
    for (const auto& layer : *hidden_) {
      stream = stream + layer->as<torch::nn::Linear>()->forward(stream).relu();
    }
    return last_(stream);
  }

  int64_t num_params() const { return sizewise::count_params(*this); }

 private:
  torch::nn::Linear first_{nullptr};
  torch::nn::ModuleList hidden_;
  torch::nn::Linear last_{nullptr};
};

SIZEWISE_MODEL(ResidualMlp)

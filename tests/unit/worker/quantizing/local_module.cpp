#include "quantizing/local_module.hpp"

#include <torch/nn.h>

namespace {

namespace nn = torch::nn;

/// A module of a type that only this library knows.
struct Local : nn::Module {
  nn::Conv1d conv = register_module("conv", nn::Conv1d(2, 3, 3));
  nn::Linear fc = register_module("fc", nn::Linear(24, 8));
  nn::Linear sliced = register_module("sliced", nn::Linear(8, 8));

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = torch::relu(fc(conv(x).flatten(1)));
    return y.matmul(fc->weight.slice(1, 0, 8).t()) +
           torch::linear(y, sliced->weight.slice(0, 0, 8));
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) void make_local_subject(
    sizewise::quantizing::test::Subject* subject) {
  const auto module = std::make_shared<Local>();
  subject->module = module;
  subject->forward = [module](const at::Tensor& x) {
    return module->forward(x);
  };
  subject->input = torch::randn({4, 2, 10});
}

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/nn.h>

#include "sizewise/error.hpp"

#include "quantizing/calibration.hpp"
#include "quantizing/module_contents.hpp"

// What the tests of calibration have alike.
namespace sizewise::quantizing::test {

using Run = std::function<void(const at::Tensor&)>;

inline constexpr CalibrationNeeds kAll{
    .input_range = true, .channel_maximum = true, .second_moment = true};
inline constexpr CalibrationNeeds kRange{.input_range = true};
inline constexpr CalibrationNeeds kRangeAndChannels{.input_range = true,
                                                    .channel_maximum = true};

/// A module, and a forward pass of it on one input.
struct Program {
  std::shared_ptr<torch::nn::Module> module;
  Run run;
};

/// A module that is one layer or a sequence of them.
template <class Holder>
Program program(Holder holder) {
  return {holder.ptr(), [holder](const at::Tensor& x) mutable {
            (void)holder->forward(x);
          }};
}

/// Finds the layers with the first batch, calibrates with all, and holds that the module
/// and LibTorch's random numbers are as they were, also where that throws.
inline Calibration calibrated(const Program& program,
                              const std::vector<at::Tensor>& batches,
                              const CalibrationNeeds& needs = kAll,
                              ObserverKind kind = ObserverKind::kMinMax,
                              const at::Tensor& probe_input = {}) {
  const at::Tensor first = probe_input.defined() ? probe_input : batches.front();
  const std::vector<Layer> layers = find_layers(*program.module, [&] {
    program.run(first);
  });
  std::vector<const Layer*> quantizable;
  for (const Layer& layer : layers) {
    if (layer.status == LayerStatus::kQuantizable) {
      quantizable.push_back(&layer);
    }
  }
  const struct Unchanged {
    explicit Unchanged(const torch::nn::Module& module) : contents(module) {}
    ~Unchanged() {
      contents.expect_unchanged();
      EXPECT_TRUE(at::detail::getDefaultCPUGenerator().get_state().equal(random_state));
    }
    Contents contents;
    at::Tensor random_state = at::detail::getDefaultCPUGenerator().get_state();
  } unchanged(*program.module);
  return calibrate(*program.module,
                   quantizable,
                   needs,
                   kind,
                   static_cast<int64_t>(batches.size()),
                   [&](int64_t i) {
                     program.run(batches.at(static_cast<std::size_t>(i)));
                   });
}

/// The error of a calibration.
template <class Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

/// Layers with names, used in a test's own way.
struct Net : torch::nn::Module {
  torch::nn::Embedding embedding =
      register_module("embedding", torch::nn::Embedding(10, 4));
  torch::nn::Linear fc1 = register_module("fc1", torch::nn::Linear(4, 4));
  torch::nn::Linear fc2 = register_module("fc2", torch::nn::Linear(4, 4));
  torch::nn::BatchNorm1d norm = register_module("norm", torch::nn::BatchNorm1d(4));
  torch::nn::Dropout dropout = register_module("dropout", torch::nn::Dropout(0.5));
};

template <class Forward>
Program net(Forward forward) {
  const auto module = std::make_shared<Net>();
  return {module, [module, forward](const at::Tensor& x) {
            (void)forward(*module, x);
          }};
}

}  // namespace sizewise::quantizing::test

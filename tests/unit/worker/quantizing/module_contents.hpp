#pragma once

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing::test {

/// What a module holds, and where, to compare.
struct Contents {
  explicit Contents(const torch::nn::Module& module) : tensors(module.parameters()) {
    const std::vector<at::Tensor> buffers = module.buffers();
    tensors.insert(tensors.end(), buffers.begin(), buffers.end());
    for (const at::Tensor& tensor : tensors) {
      memory.push_back(tensor.const_data_ptr());
      numbers.push_back(tensor.detach().clone());
      gradients.push_back(tensor.requires_grad());
    }
  }

  void expect_unchanged() const {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_EQ(site_kernel(tensors[i]), nullptr);
      EXPECT_EQ(tensors[i].const_data_ptr(), memory[i]);
      EXPECT_TRUE(tensors[i].equal(numbers[i]));
      EXPECT_EQ(tensors[i].requires_grad(), gradients[i]);
    }
  }

  std::vector<at::Tensor> tensors;
  std::vector<const void*> memory;
  std::vector<at::Tensor> numbers;
  std::vector<bool> gradients;
};

}  // namespace sizewise::quantizing::test

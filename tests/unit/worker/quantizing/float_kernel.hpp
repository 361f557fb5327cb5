#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing::test {

/// Computes in float and counts who asks.
class FloatKernel final : public SiteKernel {
 public:
  FloatKernel(std::string name, at::Tensor weight)
      : SiteKernel(std::move(name)), weight_(std::move(weight)) {}

  [[nodiscard]] at::Tensor dense() const override { return weight_; }
  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const std::optional<at::Tensor>& bias) override {
    EXPECT_EQ(rows.dim(), 2);
    ++routed;
    return SiteKernel::linear(rows, bias);
  }
  [[nodiscard]] at::Tensor convolution(const at::Tensor& input,
                                       const std::optional<at::Tensor>& bias,
                                       const ConvolutionGeometry& geometry) override {
    ++routed;
    return SiteKernel::convolution(input, bias, geometry);
  }
  [[nodiscard]] at::Tensor embedding(const at::Tensor& indices) override {
    ++routed;
    return SiteKernel::embedding(indices);
  }
  void on_dequantized(std::string_view operator_name) override {
    const std::scoped_lock lock(mutex_);
    dequantized.emplace(operator_name);
  }

  std::atomic<int> routed = 0;
  std::set<std::string> dequantized;  ///< by these operators

 private:
  at::Tensor weight_;
  std::mutex mutex_;
};

/// A kernel that computes with the weight itself.
inline std::shared_ptr<FloatKernel> float_kernel(const std::string& name,
                                                 const at::Tensor& weight) {
  return std::make_shared<FloatKernel>(name, weight.detach());
}

/// The message of what a call throws; empty where it throws nothing.
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace sizewise::quantizing::test

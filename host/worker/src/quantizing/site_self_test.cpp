#include <ATen/ops/add.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

#include "quantizing/site_tensor.hpp"
#include "training/guarded.hpp"

namespace sizewise::quantizing {
namespace {

/// A weight of ones whose products are all -1, so that it shows who computed.
class MinusOnes final : public SiteKernel {
 public:
  explicit MinusOnes(at::Tensor weight)
      : SiteKernel("self-test"), weight_(std::move(weight)) {}
  [[nodiscard]] at::Tensor dense() const override { return weight_; }
  [[nodiscard]] at::Tensor linear(const at::Tensor& rows,
                                  const std::optional<at::Tensor>& /*bias*/) override {
    return -at::ones({rows.size(0), weight_.size(0)});
  }

 private:
  at::Tensor weight_;
};

/// @returns what a site does wrong; empty where it is right
std::string fault_of_site(const at::Tensor& weight, const at::Tensor& input) {
  const at::Tensor minus_ones = -at::ones({1, 2});
  if (!at::equal(at::linear(input, weight), minus_ones)) {
    return "aten::linear does not reach the kernel of a weight";
  }
  if (!at::equal(at::matmul(input, weight.t()), minus_ones)) {
    return "aten::matmul does not reach the kernel of a transposed weight";
  }
  if (!at::equal(at::add(weight, at::ones({3})), at::full({2, 3}, 2.0))) {
    return "the fallback does not compute with a weight's numbers";
  }
  return {};
}

std::string try_a_site() {
  const c10::NoGradGuard no_gradients;
  const at::Tensor weight = at::ones({2, 3});
  const void* memory = weight.const_data_ptr();
  const at::Tensor original =
      install_unchecked(weight, std::make_shared<MinusOnes>(at::ones({2, 3})));
  std::string fault = fault_of_site(weight, at::ones({1, 3}));
  remove_site(weight, original);
  if (fault.empty() &&
      (weight.const_data_ptr() != memory || site_of(weight) != nullptr)) {
    fault = "a weight does not come back when its site is removed";
  }
  return fault;
}

}  // namespace

std::string fault_of_site_key() {
  try {
    register_site_operators();
    return try_a_site();
  } catch (const std::exception& error) {
    return training::without_backtrace(error.what());
  }
}

}  // namespace sizewise::quantizing

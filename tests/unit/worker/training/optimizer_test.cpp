#include "training/optimizer.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sizewise::training {
namespace {

at::Tensor parameter(const at::Tensor& values) {
  return values.clone().requires_grad_(true);
}

void set_gradient(at::Tensor& tensor, const at::Tensor& gradient) {
  tensor.mutable_grad() = gradient.clone();
}

/// AdamW in double precision, straight from the paper. Source: Loshchilov and Hutter
/// 2019, algorithm 2 (decay times the learning rate, as PyTorch has it).
struct PlainAdamW {
  at::Tensor value;
  at::Tensor m = at::zeros_like(value);
  at::Tensor v = at::zeros_like(value);
  int step = 0;

  void update(const at::Tensor& gradient, double rate, double decay) {
    ++step;
    value = value * (1 - rate * decay);
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient * gradient;
    const at::Tensor m_hat = m / (1 - std::pow(0.9, step));
    const at::Tensor v_hat = v / (1 - std::pow(0.999, step));
    value = value - rate * m_hat / (v_hat.sqrt() + 1e-8);
  }
};

TEST(Optimizer, IsAdamWWithDecayOnMatricesAlone) {
  at::manual_seed(1);
  at::Tensor matrix = parameter(at::randn({5, 3}));
  at::Tensor vector = parameter(at::randn({4}));
  PlainAdamW plain_matrix{matrix.detach().to(at::kDouble).clone()};
  PlainAdamW plain_vector{vector.detach().to(at::kDouble).clone()};
  Optimizer optimizer({matrix, vector}, {.weight_decay = 0.3, .clip = 0});
  for (int i = 1; i <= 5; ++i) {
    const at::Tensor first = at::randn({5, 3});
    const at::Tensor second = at::randn({4});
    set_gradient(matrix, first);
    set_gradient(vector, second);
    optimizer.step(0.01 * i);
    plain_matrix.update(first.to(at::kDouble), 0.01 * i, 0.3);
    plain_vector.update(second.to(at::kDouble), 0.01 * i, 0.0);
  }
  EXPECT_TRUE(at::allclose(matrix.to(at::kDouble), plain_matrix.value, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(vector.to(at::kDouble), plain_vector.value, 1e-5, 1e-6));
}

TEST(Optimizer, ClipsByTheGlobalNormOfAllGradients) {
  at::Tensor matrix = parameter(at::zeros({1, 2}));
  at::Tensor vector = parameter(at::zeros({1}));
  Optimizer optimizer({matrix, vector},
                      {.optimizer = "sgd", .weight_decay = 0, .clip = 1.5});
  set_gradient(matrix, at::tensor({2.0F, 3.0F}).view({1, 2}));
  set_gradient(vector, at::tensor({6.0F}));  // the norm is 7
  optimizer.step(1.0);
  EXPECT_TRUE(at::allclose(matrix, at::tensor({2.0F, 3.0F}).view({1, 2}) * (-1.5 / 7)));
  EXPECT_TRUE(at::allclose(vector, at::tensor({6.0F}) * (-1.5 / 7)));
}

TEST(Optimizer, LeavesSmallGradientsUnclippedAndDividesThem) {
  at::Tensor vector = parameter(at::zeros({2}));
  Optimizer optimizer({vector}, {.optimizer = "sgd", .weight_decay = 0, .clip = 10});
  set_gradient(vector, at::tensor({3.0F, 4.0F}));
  optimizer.step(1.0, 2.0);
  EXPECT_TRUE(at::allclose(vector, at::tensor({-1.5F, -2.0F})));
}

TEST(Optimizer, SgdHasMomentum) {
  at::Tensor vector = parameter(at::zeros({1}));
  Optimizer optimizer({vector}, {.optimizer = "sgd", .weight_decay = 0, .clip = 0});
  for (int i = 0; i < 2; ++i) {
    set_gradient(vector, at::ones({1}));
    optimizer.step(1.0);
  }
  EXPECT_FLOAT_EQ(vector.item<float>(), -(1.0F + 1.9F));
}

TEST(Optimizer, UpdatesATiedTensorOnceAndForgetsItsGradient) {
  at::Tensor vector = parameter(at::zeros({1}));
  Optimizer optimizer({vector, vector},
                      {.optimizer = "sgd", .weight_decay = 0, .clip = 0});
  set_gradient(vector, at::ones({1}));
  optimizer.step(1.0);
  EXPECT_FLOAT_EQ(vector.item<float>(), -1.0F);
  EXPECT_FALSE(vector.grad().defined());
}

TEST(Optimizer, TakesAMissingGradientForZero) {
  at::Tensor used = parameter(at::zeros({1}));
  at::Tensor unused = parameter(at::ones({1}));
  Optimizer optimizer({used, unused}, {.weight_decay = 0});
  set_gradient(used, at::ones({1}));
  optimizer.step(0.1);
  EXPECT_FLOAT_EQ(unused.item<float>(), 1.0F);
  EXPECT_LT(used.item<float>(), 0.0F);
}

}  // namespace
}  // namespace sizewise::training

#include "training/optimizer.hpp"

#include <unordered_set>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace sizewise::training {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;
constexpr double kMomentum = 0.9;

}  // namespace

Optimizer::Optimizer(const std::vector<at::Tensor>& parameters, const Recipe& recipe)
    : is_adamw_(recipe.optimizer == "adamw"), clip_(recipe.clip) {
  groups_.resize(2);
  groups_[0].weight_decay = recipe.weight_decay;
  std::unordered_set<const c10::TensorImpl*> seen;
  for (const at::Tensor& parameter : parameters) {
    if (!parameter.requires_grad() ||
        !seen.insert(parameter.unsafeGetTensorImpl()).second) {
      continue;
    }
    if (!step_count_.defined()) {
      step_count_ = at::zeros({}, parameter.options().dtype(at::kFloat));
    }
    add(parameter, groups_[parameter.dim() >= 2 ? 0 : 1]);
  }
}

void Optimizer::add(const at::Tensor& parameter, Group& group) {
  const at::NoGradGuard no_grad;
  group.parameters.push_back(parameter);
  group.first_moments.push_back(at::zeros_like(parameter));
  if (is_adamw_) {
    group.second_moments.push_back(at::zeros_like(parameter));
    group.step_counts.push_back(step_count_);
  }
}

std::optional<at::Tensor> Optimizer::gradient_scale(double divisor) const {
  std::vector<at::Tensor> gradients;
  for (const Group& group : groups_) {
    gradients.insert(gradients.end(), group.gradients.begin(), group.gradients.end());
  }
  if (gradients.empty() || (clip_ <= 0 && divisor == 1.0)) {
    return std::nullopt;
  }
  if (clip_ <= 0) {
    return at::full({}, divisor, gradients.front().options().dtype(at::kFloat));
  }
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  // With g the gradient and s the divisor, g / s clipped to norm c is g / max(s, |g|/c).
  return norm.to(at::kFloat).div_(clip_).clamp_min_(divisor);
}

void Optimizer::update(Group& group,
                       double learning_rate,
                       const std::optional<at::Tensor>& scale,
                       bool first_step) const {
  if (is_adamw_) {
    at::_fused_adamw_(group.parameters,
                      group.gradients,
                      group.first_moments,
                      group.second_moments,
                      {},
                      group.step_counts,
                      learning_rate,
                      kBeta1,
                      kBeta2,
                      group.weight_decay,
                      kEpsilon,
                      /*amsgrad=*/false,
                      /*maximize=*/false,
                      scale);
  } else {
    at::_fused_sgd_(group.parameters,
                    group.gradients,
                    group.first_moments,
                    group.weight_decay,
                    kMomentum,
                    learning_rate,
                    /*dampening=*/0.0,
                    /*nesterov=*/false,
                    /*maximize=*/false,
                    first_step,
                    scale);
  }
}

void Optimizer::step(double learning_rate, double gradient_divisor) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    for (const at::Tensor& parameter : group.parameters) {
      // A parameter that this step did not use has a gradient of zero.
      const at::Tensor& gradient = parameter.grad();
      group.gradients.push_back(gradient.defined() ? gradient
                                                   : at::zeros_like(parameter));
    }
  }
  const std::optional<at::Tensor> scale = gradient_scale(gradient_divisor);
  if (is_adamw_ && step_count_.defined()) {
    step_count_.add_(1);
  }
  for (Group& group : groups_) {
    if (!group.parameters.empty()) {
      update(group, learning_rate, scale, first_step_);
    }
    group.gradients.clear();
    for (at::Tensor& parameter : group.parameters) {
      parameter.mutable_grad().reset();
    }
  }
  first_step_ = false;
}

}  // namespace sizewise::training

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sizewise/experiment.hpp"

namespace sizewise::training {

/// Updates parameters from their gradients by recipe.optimizer:
/// - "adamw": betas 0.9 and 0.999, epsilon 1e-8. Source: Loshchilov and Hutter 2019,
///   "Decoupled weight decay regularization", algorithm 2.
/// - "sgd": momentum 0.9, weight decay added to the gradient.
///
/// Weight decay applies to tensors of two or more dimensions. Gradients are clipped by
/// their global norm. Nothing here waits for a device. Its buffers are made once; a step
/// allocates only scalars.
class Optimizer {
 public:
  /// `parameters`: a tied tensor may stand in it more than once.
  Optimizer(const std::vector<at::Tensor>& parameters, const Recipe& recipe);

  /// One step at a learning rate with the gradients as they are, then forgets them.
  /// `gradient_divisor` divides the gradients first (before they are clipped).
  void step(double learning_rate, double gradient_divisor = 1.0);

 private:
  /// Tensors that share a weight decay, and their state, in step.
  struct Group {
    double weight_decay = 0;
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> first_moments;   ///< AdamW's, or SGD's momentum
    std::vector<at::Tensor> second_moments;  ///< AdamW's alone
    std::vector<at::Tensor> step_counts;     ///< one scalar tensor, repeated
    std::vector<at::Tensor> gradients;       ///< of the step in progress
  };

  void add(const at::Tensor& parameter, Group& group);
  /// What gradients are divided by, for the divisor and the clipping; none for neither.
  [[nodiscard]] std::optional<at::Tensor> gradient_scale(double divisor) const;
  void update(Group& group,
              double learning_rate,
              const std::optional<at::Tensor>& scale,
              bool first_step) const;

  bool is_adamw_;
  double clip_;
  bool first_step_ = true;
  at::Tensor step_count_;
  std::vector<Group> groups_;
};

}  // namespace sizewise::training

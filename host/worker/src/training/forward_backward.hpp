#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "training/trial.hpp"

namespace sizewise::training {

/// What one optimizer step's passes left besides the gradients.
struct StepOutcome {
  at::Tensor loss;              ///< scalar, detached: mean over the step's units
  double gradient_divisor = 1;  ///< what the gradients are to be divided by
  int64_t flops = 0;            ///< counted, forward and backward; 0 without counting
};

/// Runs a step's forward and backward passes, which leave their gradients in the
/// parameters. Counts their FLOPs the first time that it meets a shape of batch.
class ForwardBackward {
 public:
  ForwardBackward(Model& model,
                  const Ingredients& ingredients,
                  c10::Device device,
                  bool count_flops);

  /// The `samples` samples of the training stream from `first_sample` on, split into
  /// recipe.accumulate passes whose gradients add up to those of one.
  /// @throws Error what the plugins throw, named
  StepOutcome run(int64_t first_sample, int64_t samples);

  /// Operators that did matrix work and have no FLOP formula.
  [[nodiscard]] const std::set<std::string>& uncounted() const { return uncounted_; }

 private:
  using Shapes = std::vector<int64_t>;

  LossValue forward(const TensorMap& batch);
  LossValue run_pass(const TensorMap& batch, double nominal_units, bool whole_step);
  LossValue count_pass(const TensorMap& batch,
                       double nominal_units,
                       bool whole_step,
                       int64_t& flops);

  Model& model_;
  const Ingredients& ingredients_;
  c10::Device device_;
  bool count_flops_;
  std::map<Shapes, int64_t> flops_of_shapes_;
  std::set<std::string> uncounted_;
};

}  // namespace sizewise::training

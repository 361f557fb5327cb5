#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sizewise::training {

/// The training losses of a trial, step by step. On a CPU a loss is read at once; on
/// another device it waits there until somebody reads, so that no step waits for it.
class LossLog {
 public:
  /// Adds a step's loss: a scalar, the mean over `samples` samples.
  void add(const at::Tensor& loss, int64_t samples);

  /// Reads what still waits on the device.
  void read();

  /// Steps whose loss has been read.
  [[nodiscard]] int64_t read_steps() const {
    return static_cast<int64_t>(losses_.size());
  }
  /// The last loss read; NaN before the first.
  [[nodiscard]] double last() const;
  /// The first step (0-based) whose loss is not finite, among those read.
  [[nodiscard]] std::optional<int64_t> first_not_finite() const {
    return first_not_finite_;
  }
  [[nodiscard]] double at(int64_t step) const {
    return losses_[static_cast<std::size_t>(step)];
  }
  /// The mean over samples of the steps from `first` on.
  [[nodiscard]] double mean_from(int64_t first) const;

 private:
  void append(double loss);

  std::vector<at::Tensor> waiting_;
  std::vector<double> losses_;
  std::vector<int64_t> samples_;
  std::optional<int64_t> first_not_finite_;
};

}  // namespace sizewise::training

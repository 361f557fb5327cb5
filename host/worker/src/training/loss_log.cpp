#include "training/loss_log.hpp"

#include <cmath>
#include <limits>

#include <ATen/ops/stack.h>

namespace sizewise::training {
namespace {

/// A device's losses are read in batches of at most this many.
constexpr std::size_t kMostWaiting = 1024;

}  // namespace

void LossLog::add(const at::Tensor& loss, int64_t samples) {
  samples_.push_back(samples);
  if (loss.is_cpu()) {
    append(loss.item<double>());
    return;
  }
  waiting_.push_back(loss);
  if (waiting_.size() >= kMostWaiting) {
    read();
  }
}

void LossLog::read() {
  if (waiting_.empty()) {
    return;
  }
  const at::Tensor losses =
      at::stack(waiting_).to(at::TensorOptions(at::kCPU).dtype(at::kDouble));
  waiting_.clear();
  for (int64_t i = 0; i < losses.numel(); ++i) {
    append(losses.data_ptr<double>()[i]);
  }
}

void LossLog::append(double loss) {
  if (!std::isfinite(loss) && !first_not_finite_) {
    first_not_finite_ = read_steps();
  }
  losses_.push_back(loss);
}

double LossLog::last() const {
  return losses_.empty() ? std::numeric_limits<double>::quiet_NaN() : losses_.back();
}

double LossLog::mean_from(int64_t first) const {
  double sum = 0;
  double weight = 0;
  for (auto step = static_cast<std::size_t>(first); step < losses_.size(); ++step) {
    sum += losses_[step] * static_cast<double>(samples_[step]);
    weight += static_cast<double>(samples_[step]);
  }
  return sum / weight;
}

}  // namespace sizewise::training

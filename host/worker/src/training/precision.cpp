#include "training/precision.hpp"

#include <ATen/autocast_mode.h>

namespace sizewise::training {

AutocastScope::AutocastScope(std::string_view precision, c10::DeviceType device)
    : active_(precision == "bfloat16"), device_(device) {
  if (active_) {
    was_enabled_ = at::autocast::is_autocast_enabled(device_);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::increment_nesting();
  }
}

AutocastScope::~AutocastScope() {
  if (active_) {
    // The weights' bfloat16 copies must not outlive the step that changes the weights.
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }
}

TensorMap widened(TensorMap outputs) {
  for (auto& [name, tensor] : outputs) {
    if (tensor.defined() &&
        (tensor.scalar_type() == at::kBFloat16 || tensor.scalar_type() == at::kHalf)) {
      tensor = tensor.to(at::kFloat);
    }
  }
  return outputs;
}

}  // namespace sizewise::training

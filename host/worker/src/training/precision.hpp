#pragma once

#include <string_view>

#include <c10/core/Device.h>

#include "sizewise/tensor_map.hpp"

namespace sizewise::training {

/// While it lives, operators of this thread compute in bfloat16 where LibTorch's autocast
/// holds that to be safe; with precision "float32" it does nothing.
class AutocastScope {
 public:
  AutocastScope(std::string_view precision, c10::DeviceType device);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool active_;
  c10::DeviceType device_;
  bool was_enabled_ = false;
};

/// The outputs with reduced floating-point types widened to float32, so that a loss sees
/// one type whatever the precision.
[[nodiscard]] TensorMap widened(TensorMap outputs);

}  // namespace sizewise::training

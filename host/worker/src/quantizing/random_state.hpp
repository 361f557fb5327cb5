#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace sizewise::quantizing {

/// Puts LibTorch's default random numbers on the CPU back to where they were, where it
/// goes out of scope: a dropout in a forward pass that is run only to look at it shall
/// not change the program's next random numbers.
class KeptRandomState {
 public:
  KeptRandomState();
  ~KeptRandomState();
  KeptRandomState(const KeptRandomState&) = delete;
  KeptRandomState& operator=(const KeptRandomState&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

}  // namespace sizewise::quantizing

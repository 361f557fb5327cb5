#include "quantizing/random_state.hpp"

#include <mutex>

#include <ATen/CPUGeneratorImpl.h>

namespace sizewise::quantizing {

KeptRandomState::KeptRandomState() : generator_(at::detail::getDefaultCPUGenerator()) {
  const std::scoped_lock lock(generator_.mutex());
  state_ = generator_.get_state();
}

KeptRandomState::~KeptRandomState() {
  const std::scoped_lock lock(generator_.mutex());
  generator_.set_state(state_);
}

}  // namespace sizewise::quantizing

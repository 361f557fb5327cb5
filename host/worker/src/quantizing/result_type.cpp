#include "quantizing/result_type.hpp"

#include <ATen/autocast_mode.h>

namespace sizewise::quantizing {

at::ScalarType result_type(const at::Tensor& input) {
  const at::DeviceType device = input.device().type();
  const c10::DispatchKeySet keys = input.key_set() & c10::autocast_dispatch_keyset;
  // Autocast leaves double as it is.
  if (keys.empty() || input.scalar_type() == at::kDouble ||
      c10::impl::tls_is_dispatch_key_excluded(keys.highestPriorityTypeId())) {
    return input.scalar_type();
  }
  return at::autocast::is_autocast_enabled(device)
             ? at::autocast::get_autocast_dtype(device)
             : input.scalar_type();
}

}  // namespace sizewise::quantizing

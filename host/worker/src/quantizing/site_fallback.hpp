#pragma once

#include <ATen/core/stack.h>
#include <c10/core/DispatchKeySet.h>

namespace c10 {
class OperatorHandle;
}

namespace sizewise::quantizing {

/// What every operator without a kernel of its own does with sites: it computes with
/// their numbers. An operator that writes to a site is refused, and what only looks at a
/// part of one (a view) becomes a site too, so that nobody writes through it.
/// @throws Error kQuantization naming the layer and the operator that would write
void site_fallback(const c10::OperatorHandle& op,
                   c10::DispatchKeySet keys,
                   torch::jit::Stack* stack);

}  // namespace sizewise::quantizing

#include "quantizing/operator_call.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::quantizing {

at::Tensor call_operator(const char* name, torch::jit::Stack arguments) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  if (!found) {
    throw Error(ErrorCode::kInternal,
                fmt::format("this LibTorch has no operator {}", name));
  }
  found->callBoxed(&arguments);
  return arguments.at(0).toTensor();
}

}  // namespace sizewise::quantizing

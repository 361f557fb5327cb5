#include "quantizing/site_fallback.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/site_tensor.hpp"

namespace sizewise::quantizing {
namespace {

using torch::jit::Stack;

/// The numbers that took a site's place among an operator's arguments.
struct Replaced {
  at::Tensor numbers;
  std::shared_ptr<SiteKernel> kernel;
};

/// One call of an operator, while the sites among its arguments become plain tensors.
class Call {
 public:
  Call(const c10::OperatorHandle& op, Stack* stack)
      : op_(op), name_(c10::toString(op.operator_name())), stack_(stack) {}

  /// @throws Error kQuantization where the operator writes to a site
  void dequantize_arguments() {
    const auto& arguments = op_.schema().arguments();
    const std::size_t first = stack_->size() - arguments.size();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const c10::AliasInfo* alias = arguments[i].alias_info();
      dequantize((*stack_)[first + i], alias != nullptr && alias->isWrite());
    }
  }

  void run() {
    // Without sites there is nothing left for us; another library may use the key too.
    const c10::impl::ExcludeDispatchKeyGuard below_sites(kSiteKey);
    op_.callBoxed(stack_);
  }

  /// Makes sites of the results that share memory with a site's numbers.
  void guard_views() {
    const std::size_t first = stack_->size() - op_.schema().returns().size();
    for (std::size_t i = first; i < stack_->size(); ++i) {
      c10::IValue& result = (*stack_)[i];
      if (result.isTensor()) {
        result = guarded_view(result.toTensor());
      } else if (result.isTensorList()) {
        std::vector<at::Tensor> views = result.toTensorVector();
        std::transform(views.begin(), views.end(), views.begin(), [&](const auto& view) {
          return guarded_view(view);
        });
        result = std::move(views);
      }
    }
  }

 private:
  void dequantize(c10::IValue& value, bool written) {
    if (value.isTensor()) {
      value = plain(value.toTensor(), written);
    } else if (value.isTensorList()) {
      std::vector<at::Tensor> tensors = value.toTensorVector();
      for (at::Tensor& tensor : tensors) {
        tensor = plain(tensor, written);
      }
      value = std::move(tensors);
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> tensors = value.toOptionalTensorList().copy();
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::optional<at::Tensor> tensor = tensors.get(i);
        if (tensor) {
          tensors.set(i, plain(*tensor, written));
        }
      }
      value = std::move(tensors);
    }
  }

  at::Tensor plain(const at::Tensor& tensor, bool written) {
    const Site* site = site_of(tensor);
    if (site == nullptr) {
      return tensor;
    }
    if (written) {
      site->kernel->on_write_refused(name_);
      throw Error(ErrorCode::kQuantization,
                  fmt::format("{} writes to the weight of layer '{}', which is quantized "
                              "and cannot be written",
                              name_,
                              site->kernel->name()),
                  fmt::format("exclude the layer '{}'", site->kernel->name()));
    }
    replaced_.push_back({dequantized(tensor, name_), site->kernel});
    return replaced_.back().numbers;
  }

  at::Tensor guarded_view(const at::Tensor& result) {
    if (!result.defined() || !result.has_storage()) {
      return result;
    }
    const auto source =
        std::find_if(replaced_.begin(), replaced_.end(), [&](const Replaced& replaced) {
          return replaced.numbers.has_storage() && result.is_alias_of(replaced.numbers);
        });
    return source == replaced_.end() ? result : make_view_site(result, source->kernel);
  }

  const c10::OperatorHandle& op_;
  std::string name_;
  Stack* stack_;
  std::vector<Replaced> replaced_;
};

/// Composite operators that look at the backend or the type of their arguments
/// themselves, so that they have to see plain tensors.
bool needs_plain_tensors(const std::string& name) {
  return name == "aten::to" || name == "aten::set_data" ||
         // Where oneDNN may run it, as one fused layer; else it is made of linear layers.
         (name == "aten::lstm" && at::globalContext().userEnabledMkldnn());
}

/// An operator that is only a sequence of others, which reach the sites in their turn.
bool is_composite(const c10::OperatorHandle& op) {
  return op.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd) &&
         !op.hasKernelForDispatchKey(c10::DispatchKey::CPU) &&
         !needs_plain_tensors(op.schema().name());
}

/// Whether an argument of aten::to asks for something other than what the site is.
bool asks_for_change(const at::Tensor& self,
                     const std::string& argument,
                     const c10::IValue& value) {
  if (value.isNone()) {
    return false;
  }
  if (argument == "dtype") {
    return value.toScalarType() != self.scalar_type();
  }
  if (argument == "device") {
    const c10::Device device = value.toDevice();
    return device.type() != self.device().type() ||
           (device.has_index() && self.device().has_index() && device != self.device());
  }
  if (argument == "layout") {
    return value.toLayout() != at::kStrided;
  }
  if (argument == "memory_format") {
    return value.toMemoryFormat() != at::MemoryFormat::Preserve;
  }
  return argument == "copy" && value.toBool();
}

/// aten::to that changes nothing returns the tensor itself, so that Module::to() of the
/// type and device that a module has works.
bool is_idle_to(const c10::OperatorHandle& op, const Stack& stack) {
  const c10::FunctionSchema& schema = op.schema();
  if (schema.name() != "aten::to" || schema.overload_name() == "other") {
    return false;
  }
  const auto& arguments = schema.arguments();
  const std::size_t first = stack.size() - arguments.size();
  const c10::IValue& self = stack[first];
  if (!self.isTensor() || site_of(self.toTensor()) == nullptr) {
    return false;
  }
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (asks_for_change(self.toTensor(), arguments[i].name(), stack[first + i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

void site_fallback(const c10::OperatorHandle& op,
                   c10::DispatchKeySet /*keys*/,
                   Stack* stack) {
  if (is_composite(op)) {
    using c10::DispatchKey;
    const c10::DispatchKeySet keys({DispatchKey::AutogradCPU, DispatchKey::CPU});
    op.redispatchBoxed(keys, stack);
    return;
  }
  if (is_idle_to(op, *stack)) {
    torch::jit::drop(*stack, op.schema().arguments().size() - 1);  // leaves the tensor
    return;
  }
  Call call(op, stack);
  call.dequantize_arguments();
  call.run();
  call.guard_views();
}

}  // namespace sizewise::quantizing

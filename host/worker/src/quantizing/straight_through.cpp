#include "quantizing/straight_through.hpp"

#include <utility>

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

namespace sizewise::quantizing {
namespace {

constexpr const char* kGradient = "gradient";

/// Carries a function through what autograd saves.
struct KeptGradient final : torch::CustomClassHolder {
  explicit KeptGradient(InputGradient kept) : function(std::move(kept)) {}
  InputGradient function;
};

class StraightThrough : public torch::autograd::Function<StraightThrough> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& /*input*/,
                            const at::Tensor& output,
                            const c10::intrusive_ptr<KeptGradient>& gradient) {
    context->saved_data[kGradient] = c10::IValue::make_capsule(gradient);
    // No view that autograd knows of: a module may write into what a layer gave it, as
    // attention does, and views of a function like this one refuse that.
    const at::AutoDispatchBelowADInplaceOrView untracked;
    return output.view(output.sizes());
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& of_outputs) {
    at::Tensor of_input;
    if (of_outputs.at(0).defined()) {
      const auto kept = context->saved_data.at(kGradient).toCapsule();
      of_input = static_cast<const KeptGradient&>(*kept).function(of_outputs[0]);
    }
    return {of_input, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor straight_through(const at::Tensor& output,
                            const at::Tensor& input,
                            InputGradient gradient) {
  return StraightThrough::apply(
      input, output, c10::make_intrusive<KeptGradient>(std::move(gradient)));
}

}  // namespace sizewise::quantizing

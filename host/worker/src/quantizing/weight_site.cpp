#include "quantizing/weight_site.hpp"

#include <typeinfo>

#include <ATen/ops/convolution.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "quantizing/result_type.hpp"
#include "quantizing/site_tensor.hpp"

namespace sizewise::quantizing {
namespace {

/// @throws Error kInput saying why a tensor cannot become a site
void require_plain_weight(const at::Tensor& weight, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::kInput, fmt::format("the weight of '{}' {}", name, why));
  };
  if (!weight.defined()) {
    refuse("is undefined");
  }
  if (site_of(weight) != nullptr) {
    refuse("is quantized already");
  }
  // A shallow copy into an impl of a derived class would lose what the class adds.
  if (typeid(*weight.unsafeGetTensorImpl()) != typeid(c10::TensorImpl) ||
      weight.layout() != at::kStrided || !weight.has_storage() || weight.is_meta()) {
    refuse("is no plain strided tensor");
  }
  if (weight.dim() < 2) {
    refuse(fmt::format("has {} dimensions; it needs 2 or more", weight.dim()));
  }
}

/// As LibTorch's, which an inference tensor refuses outside of inference mode.
void set_requires_grad(const at::Tensor& tensor, bool required) {
  c10::TensorImpl* impl = tensor.unsafeGetTensorImpl();
  const c10::InferenceMode of_the_tensor(impl->is_inference());
  impl->set_requires_grad(required);
}

/// The same numbers in the same storage, without the weight's place in any graph.
at::Tensor shallow_copy(const at::Tensor& weight) {
  const c10::TensorImpl& impl = *weight.unsafeGetTensorImpl();
  at::Tensor copy(impl.shallow_copy_and_detach(impl.version_counter(),
                                               /*allow_tensor_metadata_change=*/true));
  set_requires_grad(copy, weight.requires_grad());
  return copy;
}

/// Makes a site the weight that it was.
void put_back(const at::Tensor& site, const at::Tensor& original) {
  c10::TensorImpl* impl = site.unsafeGetTensorImpl();
  // A shallow copy leaves this where the source has none: the kernel would live on.
  impl->set_backend_meta(nullptr);
  impl->shallow_copy_from(original.getIntrusivePtr());
  set_requires_grad(site, original.requires_grad());
}

}  // namespace

at::Tensor install_unchecked(const at::Tensor& weight,
                             std::shared_ptr<SiteKernel> kernel) {
  at::Tensor original = shallow_copy(weight);
  auto site = c10::make_intrusive<Site>();
  site->kernel = std::move(kernel);
  const at::Tensor made =
      make_site(weight.sizes(), weight.strides(), weight.options(), std::move(site));
  set_requires_grad(weight, false);
  weight.unsafeGetTensorImpl()->shallow_copy_from(made.getIntrusivePtr());
  return original;
}

at::Tensor SiteKernel::linear(const at::Tensor& rows,
                              const std::optional<at::Tensor>& bias) {
  return at::linear(rows, dense(), bias);
}

at::Tensor SiteKernel::convolution(const at::Tensor& input,
                                   const std::optional<at::Tensor>& bias,
                                   const ConvolutionGeometry& geometry) {
  // Autocast does not reach this operator, and types may differ only under autocast.
  const at::ScalarType type = result_type(input);
  return at::convolution(input.to(type),
                         dense().to(type),
                         bias ? std::optional(bias->to(type)) : std::nullopt,
                         geometry.stride,
                         geometry.padding,
                         geometry.dilation,
                         geometry.transposed,
                         geometry.output_padding,
                         geometry.groups);
}

at::Tensor SiteKernel::embedding(const at::Tensor& indices) {
  return at::embedding(dense(), indices);
}

at::Tensor install_site(const at::Tensor& weight, std::shared_ptr<SiteKernel> kernel) {
  static const std::string kFault = fault_of_site_key();
  if (!kFault.empty()) {
    throw Error(ErrorCode::kInternal,
                "this LibTorch cannot run quantized modules: " + kFault,
                "use the LibTorch version that Sizewise was built with");
  }
  require_plain_weight(weight, kernel->name());
  return install_unchecked(weight, std::move(kernel));
}

void remove_site(const at::Tensor& weight, const at::Tensor& original) {
  if (routed_site_of(weight) == nullptr) {
    throw Error(ErrorCode::kInternal, "remove_site() on a tensor that is no site");
  }
  put_back(weight, original);
}

TemporarySite::TemporarySite(at::Tensor weight, std::shared_ptr<SiteKernel> kernel)
    : weight_(std::move(weight)), original_(install_site(weight_, std::move(kernel))) {}

TemporarySite::~TemporarySite() {
  if (routed_site_of(weight_) != nullptr) {  // else it was moved from
    put_back(weight_, original_);
  }
}

}  // namespace sizewise::quantizing

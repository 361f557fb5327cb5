#include "quantizing/site_tensor.hpp"

#include <c10/core/InferenceMode.h>

namespace sizewise::quantizing {

const Site* site_of(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.unsafeGetTensorImpl()->key_set().has(kSiteKey)) {
    return nullptr;
  }
  return dynamic_cast<const Site*>(tensor.unsafeGetTensorImpl()->get_backend_meta());
}

const Site* routed_site_of(const at::Tensor& tensor) {
  const Site* site = site_of(tensor);
  return site != nullptr && !site->view.defined() ? site : nullptr;
}

SiteKernel* site_kernel(const at::Tensor& tensor) {
  const Site* site = site_of(tensor);
  return site == nullptr ? nullptr : site->kernel.get();
}

at::Tensor make_site(at::IntArrayRef sizes,
                     at::IntArrayRef strides,
                     const at::TensorOptions& options,
                     c10::intrusive_ptr<Site> site) {
  // A tensor that is made in inference mode has no version counter, and an operator that
  // runs after the mode refuses it.
  const c10::InferenceMode no_inference_mode(false);
  // The key alone, no backend's: set_data() with a plain tensor is then refused.
  at::Tensor made = at::detail::make_tensor<c10::TensorImpl>(
      c10::DispatchKeySet(kSiteKey), options.dtype(), options.device());
  c10::TensorImpl* impl = made.unsafeGetTensorImpl();
  // Real strides, of transposes too: operators that make views read them.
  impl->set_sizes_and_strides(sizes, strides);
  impl->set_backend_meta(std::move(site));
  impl->set_storage_access_should_throw();
  return made;
}

at::Tensor make_view_site(const at::Tensor& numbers, std::shared_ptr<SiteKernel> kernel) {
  auto site = c10::make_intrusive<Site>();
  site->kernel = std::move(kernel);
  site->view = numbers;
  return make_site(
      numbers.sizes(), numbers.strides(), numbers.options(), std::move(site));
}

at::Tensor dequantized(const at::Tensor& tensor, std::string_view operator_name) {
  const Site* site = site_of(tensor);
  if (site == nullptr) {
    return tensor;
  }
  site->kernel->on_dequantized(operator_name);
  if (site->view.defined()) {
    return site->view;
  }
  // A kernel may have them in float only.
  const at::Tensor numbers = site->kernel->dense().to(tensor.scalar_type());
  return site->transposed ? numbers.t() : numbers;
}

}  // namespace sizewise::quantizing

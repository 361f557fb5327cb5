#pragma once

#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>
#include <c10/core/TensorImpl.h>

#include "quantizing/weight_site.hpp"

// What the sources of this folder know of sites beyond weight_site.hpp.
namespace sizewise::quantizing {

/// What makes a tensor a site. LibTorch carries it along in shallow copies.
struct Site final : c10::BackendMeta {
  std::shared_ptr<SiteKernel> kernel;
  /// The weight is 2-D and this is its transpose.
  bool transposed = false;
  /// Defined where this is a view of the weight other than itself or its transpose: the
  /// view's numbers. It has no kernel, and is a site so that nobody writes through it.
  at::Tensor view;
};

/// What makes this tensor a site; nullptr where it is none.
[[nodiscard]] const Site* site_of(const at::Tensor& tensor);

/// The same, but a view of a weight does not count.
[[nodiscard]] const Site* routed_site_of(const at::Tensor& tensor);

/// A site of this shape, with the type and device of the options, and no storage.
[[nodiscard]] at::Tensor make_site(at::IntArrayRef sizes,
                                   at::IntArrayRef strides,
                                   const at::TensorOptions& options,
                                   c10::intrusive_ptr<Site> site);

/// A view site for the numbers that an operator made of a site without copying them.
[[nodiscard]] at::Tensor make_view_site(const at::Tensor& numbers,
                                        std::shared_ptr<SiteKernel> kernel);

/// The numbers of a site, of which its kernel is told; any other tensor as it is.
[[nodiscard]] at::Tensor dequantized(const at::Tensor& tensor,
                                     std::string_view operator_name);

/// install_site() without its checks.
[[nodiscard]] at::Tensor install_unchecked(const at::Tensor& weight,
                                           std::shared_ptr<SiteKernel> kernel);

/// Registers the operators and the fallback with LibTorch, once a process. [any thread]
void register_site_operators();

}  // namespace sizewise::quantizing

#include <utility>

#include <ATen/ops/addmm.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <c10/core/WrapDimMinimal.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include "quantizing/site_fallback.hpp"
#include "quantizing/site_tensor.hpp"

// The operators by which layers use their weights. Each hands a use that means what the
// kernel computes to the kernel, and computes any other with the weight's numbers.
namespace sizewise::quantizing {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

/// Calls an operator with tensors that are no sites, or that are another library's.
template <class Compute>
at::Tensor below_sites(Compute&& compute) {
  const c10::impl::ExcludeDispatchKeyGuard below_sites(kSiteKey);
  return compute();
}

/// An optional tensor that is there.
OptionalTensor present(const OptionalTensor& tensor) {
  return tensor && tensor->defined() ? tensor : std::nullopt;
}

OptionalTensor dequantized_if_any(const OptionalTensor& tensor,
                                  std::string_view operator_name) {
  if (!tensor || !tensor->defined()) {
    return std::nullopt;
  }
  return dequantized(*tensor, operator_name);
}

/// Whether autocast is on for tensors like this one, whose type may then be another.
bool under_autocast(const at::Tensor& tensor) {
  const c10::DispatchKeySet keys = tensor.key_set() & c10::autocast_dispatch_keyset;
  return !keys.empty() &&
         !c10::impl::tls_is_dispatch_key_excluded(keys.highestPriorityTypeId());
}

/// Whether a kernel may take this tensor beside its weight: LibTorch says better than a
/// kernel what does not fit.
bool fits(const at::Tensor& tensor, const at::Tensor& weight) {
  if (!tensor.defined() || site_of(tensor) != nullptr || tensor.is_nested() ||
      tensor.layout() != at::kStrided || tensor.device() != weight.device()) {
    return false;
  }
  return tensor.scalar_type() == weight.scalar_type() ||
         (tensor.is_floating_point() && under_autocast(tensor));
}

bool fits_bias(const OptionalTensor& bias, const at::Tensor& weight, int64_t outputs) {
  return !bias || (fits(*bias, weight) && bias->dim() == 1 && bias->size(0) == outputs);
}

/// The site of a linear layer's weight where this product is that layer: nullptr for
/// another orientation, shape or type.
/// @param transposed whether the operator multiplies by the weight as it is given (K x N)
const Site* linear_site(const at::Tensor& input,
                        const at::Tensor& weight,
                        const OptionalTensor& bias,
                        bool transposed) {
  const Site* site = routed_site_of(weight);
  if (site == nullptr || site->transposed != transposed || weight.dim() != 2) {
    return nullptr;
  }
  const int64_t inputs = weight.size(transposed ? 0 : 1);
  const int64_t outputs = weight.size(transposed ? 1 : 0);
  const bool routed = fits(input, weight) && input.dim() >= 1 &&
                      input.size(-1) == inputs && fits_bias(bias, weight, outputs);
  return routed ? site : nullptr;
}

/// @param input ... x K
/// @returns ... x N
at::Tensor run_linear(const Site& site,
                      const at::Tensor& input,
                      const OptionalTensor& bias) {
  if (input.dim() == 2) {
    return site.kernel->linear(input, bias);
  }
  std::vector<int64_t> shape = input.sizes().vec();
  shape.pop_back();
  const int64_t rows = c10::multiply_integers(shape);
  const at::Tensor output =
      site.kernel->linear(input.reshape({rows, input.size(-1)}), bias);
  shape.push_back(output.size(1));
  return output.reshape(shape);
}

at::Tensor linear(const at::Tensor& input,
                  const at::Tensor& weight,
                  const OptionalTensor& bias) {
  if (const Site* site = linear_site(input, weight, present(bias), false)) {
    return run_linear(*site, input, present(bias));
  }
  constexpr std::string_view kName = "aten::linear";
  return below_sites([&] {
    return at::linear(dequantized(input, kName),
                      dequantized(weight, kName),
                      dequantized_if_any(bias, kName));
  });
}

at::Tensor matmul(const at::Tensor& input, const at::Tensor& weight) {
  if (const Site* site = linear_site(input, weight, std::nullopt, true)) {
    return run_linear(*site, input, std::nullopt);
  }
  constexpr std::string_view kName = "aten::matmul";
  return below_sites([&] {
    return at::matmul(dequantized(input, kName), dequantized(weight, kName));
  });
}

at::Tensor mm(const at::Tensor& input, const at::Tensor& weight) {
  const Site* site = linear_site(input, weight, std::nullopt, true);
  if (site != nullptr && input.dim() == 2) {
    return run_linear(*site, input, std::nullopt);
  }
  constexpr std::string_view kName = "aten::mm";
  return below_sites([&] {
    return at::mm(dequantized(input, kName), dequantized(weight, kName));
  });
}

at::Tensor addmm(const at::Tensor& bias,
                 const at::Tensor& input,
                 const at::Tensor& weight,
                 const at::Scalar& beta,
                 const at::Scalar& alpha) {
  const Site* site = linear_site(input, weight, bias, true);
  if (site != nullptr && input.dim() == 2 && beta.equal(1) && alpha.equal(1)) {
    return run_linear(*site, input, bias);
  }
  constexpr std::string_view kName = "aten::addmm";
  return below_sites([&] {
    return at::addmm(dequantized(bias, kName),
                     dequantized(input, kName),
                     dequantized(weight, kName),
                     beta,
                     alpha);
  });
}

/// A list of one number stands for that number in every spatial dimension.
std::vector<int64_t> for_each_dimension(c10::SymIntArrayRef list, int64_t dimensions) {
  const c10::IntArrayRef numbers = C10_AS_INTARRAYREF_SLOW(list);
  return numbers.size() == 1 ? std::vector<int64_t>(dimensions, numbers[0])
                             : numbers.vec();
}

/// The site of a convolution's weight; nullptr where the shapes or types do not fit.
const Site* convolution_site(const at::Tensor& input,
                             const at::Tensor& weight,
                             const OptionalTensor& bias,
                             const ConvolutionGeometry& geometry) {
  const Site* site = routed_site_of(weight);
  if (site == nullptr || site->transposed || !fits(input, weight) ||
      input.dim() != weight.dim() || weight.dim() < 3) {
    return nullptr;
  }
  const int64_t groups = geometry.groups;
  const int64_t inputs = geometry.transposed ? weight.size(0) : weight.size(1) * groups;
  const int64_t outputs = geometry.transposed ? weight.size(1) * groups : weight.size(0);
  const auto dimensions = static_cast<std::size_t>(weight.dim() - 2);
  const bool routed = input.size(1) == inputs && fits_bias(bias, weight, outputs) &&
                      geometry.stride.size() == dimensions &&
                      geometry.padding.size() == dimensions &&
                      geometry.dilation.size() == dimensions;
  return routed ? site : nullptr;
}

at::Tensor convolution(
    const at::Tensor& input,
    const at::Tensor& weight,
    const OptionalTensor& bias,
    c10::SymIntArrayRef stride,
    c10::SymIntArrayRef padding,
    c10::SymIntArrayRef dilation,
    bool transposed,
    c10::SymIntArrayRef output_padding,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): the schema's
    c10::SymInt groups) {
  const int64_t dimensions = weight.dim() - 2;
  const ConvolutionGeometry geometry{for_each_dimension(stride, dimensions),
                                     for_each_dimension(padding, dimensions),
                                     for_each_dimension(dilation, dimensions),
                                     for_each_dimension(output_padding, dimensions),
                                     transposed,
                                     groups.guard_int(__FILE__, __LINE__)};
  if (const Site* site = convolution_site(input, weight, present(bias), geometry)) {
    return site->kernel->convolution(input, present(bias), geometry);
  }
  constexpr std::string_view kName = "aten::convolution";
  return below_sites([&] {
    return at::convolution_symint(dequantized(input, kName),
                                  dequantized(weight, kName),
                                  dequantized_if_any(bias, kName),
                                  stride,
                                  padding,
                                  dilation,
                                  transposed,
                                  output_padding,
                                  groups);
  });
}

at::Tensor embedding(const at::Tensor& weight,
                     const at::Tensor& indices,
                     // NOLINTNEXTLINE(performance-unnecessary-value-param): the schema's
                     c10::SymInt padding_index,
                     bool scale_grad_by_freq,
                     bool sparse) {
  const Site* site = routed_site_of(weight);
  const bool integers =
      indices.scalar_type() == at::kLong || indices.scalar_type() == at::kInt;
  if (site != nullptr && !site->transposed && weight.dim() == 2 && integers) {
    return site->kernel->embedding(indices).to(weight.scalar_type());
  }
  constexpr std::string_view kName = "aten::embedding";
  return below_sites([&] {
    return at::embedding_symint(dequantized(weight, kName),
                                dequantized(indices, kName),
                                padding_index,
                                scale_grad_by_freq,
                                sparse);
  });
}

/// A site for what an operator that makes views made of a site's numbers.
template <class MakeView>
at::Tensor viewed(const at::Tensor& weight,
                  std::string_view operator_name,
                  MakeView&& make_view) {
  const Site* site = site_of(weight);
  at::Tensor view = below_sites([&] {
    return make_view(dequantized(weight, operator_name));
  });
  return site == nullptr ? view : make_view_site(view, site->kernel);
}

/// The transpose of a 2-D weight; it still has its kernel.
at::Tensor flipped(const at::Tensor& weight, const Site& site) {
  auto flipped_site = c10::make_intrusive<Site>();
  flipped_site->kernel = site.kernel;
  flipped_site->transposed = !site.transposed;
  return make_site({weight.size(1), weight.size(0)},
                   {weight.stride(1), weight.stride(0)},
                   weight.options(),
                   std::move(flipped_site));
}

at::Tensor transpose(const at::Tensor& weight, int64_t dim0, int64_t dim1) {
  const Site* site = routed_site_of(weight);
  if (site != nullptr && weight.dim() == 2 &&
      c10::maybe_wrap_dim(dim0, 2) != c10::maybe_wrap_dim(dim1, 2)) {
    return flipped(weight, *site);
  }
  return viewed(weight, "aten::transpose.int", [&](const at::Tensor& numbers) {
    return numbers.transpose(dim0, dim1);
  });
}

at::Tensor t(const at::Tensor& weight) {
  const Site* site = routed_site_of(weight);
  if (site != nullptr && weight.dim() == 2) {
    return flipped(weight, *site);
  }
  return viewed(weight, "aten::t", [](const at::Tensor& numbers) {
    return numbers.t();
  });
}

at::Tensor detach(const at::Tensor& weight) {
  if (const Site* site = routed_site_of(weight)) {
    auto same = c10::make_intrusive<Site>();
    same->kernel = site->kernel;
    same->transposed = site->transposed;
    return make_site(weight.sizes(), weight.strides(), weight.options(), std::move(same));
  }
  return viewed(weight, "aten::detach", [](const at::Tensor& numbers) {
    return numbers.detach();
  });
}

/// What LibTorch knows of us, until the library is unloaded or the process ends.
struct Registration {
  torch::Library operators{torch::Library::IMPL, "aten", kSiteKey, __FILE__, __LINE__};
  torch::Library others{torch::Library::IMPL, "_", kSiteKey, __FILE__, __LINE__};

  Registration() {
    operators.impl("linear", TORCH_FN(linear));
    operators.impl("matmul", TORCH_FN(matmul));
    operators.impl("mm", TORCH_FN(mm));
    operators.impl("addmm", TORCH_FN(addmm));
    operators.impl("convolution", TORCH_FN(convolution));
    operators.impl("embedding", TORCH_FN(embedding));
    operators.impl("transpose.int", TORCH_FN(transpose));
    operators.impl("t", TORCH_FN(t));
    operators.impl("detach", TORCH_FN(detach));
    others.fallback(torch::CppFunction::makeFromBoxedFunction<&site_fallback>());
  }
};

}  // namespace

void register_site_operators() {
  static const Registration kRegistration;
}

}  // namespace sizewise::quantizing

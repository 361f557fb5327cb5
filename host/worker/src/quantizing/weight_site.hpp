#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/DispatchKey.h>

namespace sizewise::quantizing {

/// The dispatch key that brings operators on a site to its kernel: above autograd and
/// autocast, and no backend's. docs/decisions/0072 says why it is none of PrivateUse.
inline constexpr c10::DispatchKey kSiteKey =
    c10::DispatchKey::TESTING_ONLY_GenericWrapper;

/// How a convolution runs; every list has one number for each spatial dimension.
struct ConvolutionGeometry {
  std::vector<int64_t> stride;
  std::vector<int64_t> padding;
  std::vector<int64_t> dilation;
  std::vector<int64_t> output_padding;  ///< of transposed ones, else zeros
  bool transposed = false;
  int64_t groups = 1;
};

/// What runs in the place of a weight: the operations of the layers that have one. The
/// defaults compute in float with dense(); a kernel overrides those that it has. Inputs
/// have the weight's type, or under autocast any floating one. A kernel runs above
/// autograd: what it computes with LibTorch's operators has gradients. [any thread]
class SiteKernel {
 public:
  explicit SiteKernel(std::string name) : name_(std::move(name)) {}
  virtual ~SiteKernel() = default;
  SiteKernel(const SiteKernel&) = delete;
  SiteKernel& operator=(const SiteKernel&) = delete;

  /// The layer's name, such as "fc1", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The weight in float (or in the type it had), of the shape it had.
  [[nodiscard]] virtual at::Tensor dense() const = 0;

  /// A linear layer whose weight is N x K.
  /// @param rows M x K; M may be 0
  /// @param bias N numbers, or nothing
  /// @returns M x N
  [[nodiscard]] virtual at::Tensor linear(const at::Tensor& rows,
                                          const std::optional<at::Tensor>& bias);

  /// A convolution, also a transposed one.
  /// @param input (batch x) channels x spatial dimensions
  /// @param bias one number for each output channel, or nothing
  [[nodiscard]] virtual at::Tensor convolution(const at::Tensor& input,
                                               const std::optional<at::Tensor>& bias,
                                               const ConvolutionGeometry& geometry);

  /// Rows of a weight that is N x K.
  /// @param indices integers of any shape; those outside of [0, N) are to be refused
  /// @returns the shape of the indices, with K added
  [[nodiscard]] virtual at::Tensor embedding(const at::Tensor& indices);

  /// Tells that an operator that has no kernel here reads the weight: it gets dense().
  virtual void on_dequantized(std::string_view /*operator_name*/) {}

  /// Tells that an operator that writes to the weight is refused.
  virtual void on_write_refused(std::string_view /*operator_name*/) {}

 private:
  std::string name_;
};

/// Puts a site in a weight's place: whoever holds the weight holds the site from then on.
/// The site has the weight's shape, strides, type and device, no storage, and requires no
/// gradient. No other thread may use the weight meanwhile.
/// @param weight a strided tensor of 2 or more dimensions that is no site
/// @returns the weight as it was, which remove_site() takes; to drop it frees its memory
/// @throws Error kInput where the weight is no such tensor, kInternal where LibTorch does
///         not route kSiteKey as it should
[[nodiscard]] at::Tensor install_site(const at::Tensor& weight,
                                      std::shared_ptr<SiteKernel> kernel);

/// Makes a site the weight that it was before install_site(), with the same storage. No
/// other thread may use the weight meanwhile.
/// @param original what install_site() returned
/// @throws Error kInternal where the weight is no site
void remove_site(const at::Tensor& weight, const at::Tensor& original);

/// A site that stands while the object lives, then the weight is what it was.
class TemporarySite {
 public:
  /// @throws Error as install_site()
  TemporarySite(at::Tensor weight, std::shared_ptr<SiteKernel> kernel);
  ~TemporarySite();
  TemporarySite(TemporarySite&&) noexcept = default;
  TemporarySite& operator=(TemporarySite&&) = delete;
  TemporarySite(const TemporarySite&) = delete;
  TemporarySite& operator=(const TemporarySite&) = delete;

 private:
  at::Tensor weight_;
  at::Tensor original_;
};

/// The kernel of a site, or of what was made of one without computing (its transpose, a
/// view); nullptr for any other tensor. It lives as long as the tensor. [any thread]
[[nodiscard]] SiteKernel* site_kernel(const at::Tensor& tensor);

/// Tries, on a small weight, all that sites need of LibTorch: that operators on kSiteKey
/// reach their kernels, others the fallback, and that the weight comes back.
/// install_site() asks once. @returns what does not work; empty where all does [any
/// thread]
[[nodiscard]] std::string fault_of_site_key();

}  // namespace sizewise::quantizing

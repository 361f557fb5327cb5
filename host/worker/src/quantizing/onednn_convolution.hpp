#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "quantizing/coded_images.hpp"
#include "quantizing/weight_site.hpp"

namespace sizewise::quantizing {

/// What oneDNN's integer convolution does wrong in this process, such as "sums of
/// 255 x 127 in a dense convolution"; empty where it is exact. Without sums of bytes in
/// 32 bits (VNNI) it saturates silently, and the environment can take those away: so it
/// is tried once, on small convolutions, against int64. [any thread]
[[nodiscard]] const std::string& fault_of_onednn_convolution();

/// Whether oneDNN multiplies whole tiles of bytes in this process (AMX): several times as
/// fast as products of vectors, its own and ours. [any thread]
[[nodiscard]] bool onednn_has_tiles();

/// A convolution by onednn::qconv_pointwise, its weight packed for one geometry.
/// [any thread]
class OnednnConvolution {
 public:
  /// @param codes {outputs, channels/groups, kernel...}, int8
  /// @param scales {outputs} float32
  /// @param geometry not transposed
  /// @throws Error kInternal where this LibTorch has no such operator
  OnednnConvolution(const at::Tensor& codes,
                    const at::Tensor& scales,
                    const ConvolutionGeometry& geometry);

  /// @param coded without a frame, one scale for all images
  /// @param bias {outputs} float32, or undefined
  /// @returns {images, outputs, sizes...} float32, channels innermost
  [[nodiscard]] at::Tensor run(const CodedImages& coded, const at::Tensor& bias) const;

  [[nodiscard]] int64_t bytes() const;

 private:
  ConvolutionGeometry geometry_;
  bool is_flat_;  ///< of one spatial dimension; it runs as one of two
  at::Tensor packed_;
  at::Tensor scales_;
  at::Tensor zero_points_;
};

}  // namespace sizewise::quantizing

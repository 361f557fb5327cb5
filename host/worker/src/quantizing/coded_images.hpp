#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sizewise/quantizer.hpp"

#include "kernels/activation_codes.hpp"
#include "quantizing/convolution_axes.hpp"

namespace sizewise::quantizing {

/// Bytes behind codes that may be read, so that short pieces are copied 16 at a time.
inline constexpr int64_t kCodeSlack = 64;

/// A batch of images as 8-bit codes: channels innermost, within a frame of the zero
/// point.
struct CodedImages {
  at::Tensor codes;  ///< uint8, [images, framed sizes..., channels] and kCodeSlack bytes
  int64_t images = 0;
  int64_t channels = 0;
  std::vector<AxisFrame> frame;
  std::vector<int64_t> framed_sizes;  ///< the input's with the frame
  /// Of each image, or of all of them.
  std::vector<kernels::CodeParameters> parameters;

  [[nodiscard]] const kernels::CodeParameters& of_image(int64_t image) const {
    return parameters.size() == 1 ? parameters[0]
                                  : parameters[static_cast<std::size_t>(image)];
  }
  /// Codes of an image.
  [[nodiscard]] int64_t image_bytes() const;
};

/// How inputs become codes.
struct ImageCoding {
  ActivationTreatment treatment = ActivationTreatment::kDynamicPerTensor;
  kernels::CodeParameters fixed;  ///< of kStatic
};

/// Codes of a batch. The activation's treatments:
/// - kDynamicPerTensor: one scale by the range of all values;
/// - kDynamicPerToken: one for each image, by its own range (its places share it: outputs
///   near each other see the same ones);
/// - kStatic: as given, saturating;
/// - kNone: two batches whose values add up to the input as numbers of 16 bits.
/// @param name of the layer, for messages
/// @param input {images, channels, sizes...}, float32, any layout
/// @param frame one for each spatial dimension
/// @throws Error kQuantization naming the layer where a value is not finite
[[nodiscard]] std::vector<CodedImages> code_images(const std::string& name,
                                                   const at::Tensor& input,
                                                   const std::vector<AxisFrame>& frame,
                                                   const ImageCoding& coding);

}  // namespace sizewise::quantizing

#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "quantizing/coded_images.hpp"
#include "quantizing/packed_convolution.hpp"

namespace sizewise::quantizing {

/// Convolves with the integer products of kernels/int8_product.hpp: what an output sees
/// is copied to a row of columns, a block of rows at a time, so that a thread needs about
/// half a MiB.
/// @param coded what code_images() made with the frame of the geometry; the sums of all
///   are added
/// @param bias {outputs} float32 contiguous, or undefined
/// @param output {images, outputs, sizes...} float32, contiguous, or channels last where
///   `channels_last`; all of it is written
void convolve_columns(const PackedConvolution& packed,
                      const std::vector<CodedImages>& coded,
                      const at::Tensor& bias,
                      const at::Tensor& output,
                      bool channels_last);

}  // namespace sizewise::quantizing

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "training/trial.hpp"

namespace sizewise::test {

/// A model family by name. Its networks also stand in flop_reference.py, layer for layer:
///   "mlp"        3 linear layers; size: hidden width
///   "cnn"        2 convolutions and a linear layer; size: channels
///   "gpt"        2 transformer blocks, tied head; size: width, a multiple of 8
///   "upsampler"  transposed, depthwise, dilated and grouped convolutions; size: channels
///   "lstm"       2 layers of LSTM and a linear head; size: width
///   "translator" encoder and decoder with cross attention; size: width, multiple of 4
///   "bilinear"   a bilinear layer, einsum and products with vectors; size: width
/// Each reads what DatasetInfo says of its data.
[[nodiscard]] training::Named<ModelFamily> make_family(const std::string& name,
                                                       const DatasetInfo& data);

/// The data that a family by that name reads.
[[nodiscard]] DatasetInfo data_for(std::string_view name);

}  // namespace sizewise::test

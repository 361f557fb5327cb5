#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/weight_file.hpp"

// The names that a file of weights has, and those that its quantized weights get.

namespace sizewise::quantizing {

/// Names that share a tensor: other name -> stored name. Of safetensors they stand in the
/// metadata, as save_checkpoint() writes them.
[[nodiscard]] std::map<std::string, std::string> tied_names(
    const checkpoint::WeightFile& file);

/// Room, in bytes, in the header of safetensors for all that one tensor can become.
[[nodiscard]] uint64_t room_for(const checkpoint::WeightTensor& tensor, bool is_layer);

/// Codes and scales get names of their own, which no tensor of the file may have.
/// @param is_layer whether it is quantized, of each tensor
/// @throws Error kInput naming the file and the tensor
void refuse_names(const std::filesystem::path& weights,
                  const std::vector<checkpoint::WeightTensor>& tensors,
                  const std::vector<bool>& is_layer);

}  // namespace sizewise::quantizing

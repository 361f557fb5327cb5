#include "quantizing/quantized_files.hpp"

#include <utility>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_type.hpp"
#include "checkpoint/weight_readers.hpp"
#include "quantizing/quantization_config.hpp"
#include "quantizing/quantized_config_file.hpp"
#include "quantizing/weight_tensors.hpp"
#include "running/durable_file.hpp"

namespace sizewise::quantizing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kQuantizeAgain =
    "take the folder as `sizewise quantize` wrote it, or quantize again";

/// Places of tensors in a file, by name.
using Places = std::map<std::string, std::size_t>;

Places places_in(const checkpoint::WeightFile& file) {
  Places places;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    places.emplace(file.tensors()[i].name, i);
  }
  return places;
}

QuantizedWeight read_weight(const StoredWeight& stored,
                            const Places& places,
                            checkpoint::WeightFile& file,
                            const fs::path& path) {
  std::vector<at::Tensor> tensors;
  for (const StoredTensor& tensor : stored_tensors(stored).all()) {
    tensors.push_back(checkpoint::read_tensor(file, places.at(tensor.name)));
  }
  try {
    return decoded_weight(stored, tensors);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}: {}", path.string(), error.message()),
                kQuantizeAgain);
  }
}

}  // namespace

uint64_t write_quantized_files(const fs::path& folder, const QuantizedFiles& content) {
  QuantizationConfig config;
  checkpoint::Safetensors file;
  file.metadata["format"] = "pt";
  config.tied = content.tied;
  for (const QuantizedWeight& weight : content.weights) {
    EncodedWeight parts = encoded(weight);
    for (auto& [name, tensor] : parts.tensors) {
      file.tensors.emplace(name, std::move(tensor));
    }
    note_weight(std::move(parts.stored), config);
  }
  for (const auto& [name, tensor] : content.others) {
    note_other(name, tensor.dim(), at::isFloatingType(tensor.scalar_type()), config);
    file.tensors.emplace(name, tensor);
  }
  const std::string text = format_config(config);
  running::make_folder(folder);
  remove_config(folder);
  checkpoint::write_safetensors(folder / checkpoint::kWeightsFile, file);
  write_config(folder, text);
  return fs::file_size(folder / checkpoint::kWeightsFile);
}

bool holds_quantized_files(const fs::path& folder) {
  return has_config(folder);
}

QuantizedFiles read_quantized_files(const fs::path& folder) {
  const QuantizationConfig config = read_config(folder);
  const fs::path path = folder / checkpoint::kWeightsFile;
  const auto file = checkpoint::open_safetensors_weights(path);
  check_tensors(config, file->tensors(), path.string());
  const Places places = places_in(*file);
  QuantizedFiles content;
  content.tied = config.tied;
  for (const StoredWeight& stored : config.weights) {
    content.weights.push_back(read_weight(stored, places, *file, path));
  }
  for (const std::string& name : config.others) {
    content.others.emplace(name, checkpoint::read_tensor(*file, places.at(name)));
  }
  return content;
}

}  // namespace sizewise::quantizing

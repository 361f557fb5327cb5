#include "checkpoint/safetensors_header.hpp"
#include "fuzz.hpp"
#include "quantizing/quantization_config.hpp"

namespace {

/// Takes a little-endian number of 8 bytes.
uint64_t take_number(std::string_view& input) {
  uint64_t number = 0;
  for (std::size_t i = sizeof(number); i-- > 0;) {
    number = (number << 8U) | static_cast<unsigned char>(input[i]);
  }
  input.remove_prefix(sizeof(number));
  return number;
}

std::vector<sizewise::checkpoint::WeightTensor> tensors_of(
    const sizewise::checkpoint::SafetensorsHeader& header) {
  std::vector<sizewise::checkpoint::WeightTensor> tensors;
  for (const auto& entry : header.tensors) {
    tensors.push_back({entry.name,
                       *sizewise::checkpoint::weight_type(entry.type),
                       entry.shape,
                       entry.end - entry.begin});
  }
  return tensors;
}

}  // namespace

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  // The bytes of config.json, those of data beside a header, config.json, the header.
  constexpr std::size_t kNumbers = 16;
  if (input.size() < kNumbers) {
    return;
  }
  const uint64_t config_bytes = take_number(input);
  const uint64_t data_bytes = take_number(input);
  const std::string_view text =
      input.substr(0, std::min<uint64_t>(config_bytes, input.size()));
  const quantizing::QuantizationConfig config =
      quantizing::parse_config(text, "config.json");
  const std::string written = quantizing::format_config(config);
  require(quantizing::has_quantization_config(written), "it is seen for what it is");
  require(
      quantizing::format_config(quantizing::parse_config(written, "again")) == written,
      "a config reads back");
  const auto header =
      checkpoint::parse_safetensors_header(input.substr(text.size()), data_bytes);
  quantizing::check_tensors(config, tensors_of(header), "model.safetensors");
  // What passes has the bytes that decoding reads.
  std::size_t count = config.others.size();
  for (const quantizing::StoredWeight& weight : config.weights) {
    const auto parts = quantizing::stored_tensors(weight).all();
    count += parts.size();
    const quantizing::MatrixSize size = quantizing::matrix_size(weight);
    require(size.rows >= 0 && size.columns >= 0, "a matrix has a size");
  }
  require(count == header.tensors.size(), "every tensor has one meaning");
}

#include "checkpoint/safetensors_header.hpp"
#include "fuzz.hpp"

void sizewise::fuzzing::fuzz_one(std::string_view input) {
  // The bytes of data, then the header's JSON.
  constexpr std::size_t kLengthBytes = 8;
  if (input.size() < kLengthBytes) {
    return;
  }
  uint64_t data_bytes = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    data_bytes = (data_bytes << 8U) | static_cast<unsigned char>(input[i]);
  }
  const auto header =
      checkpoint::parse_safetensors_header(input.substr(kLengthBytes), data_bytes);
  uint64_t next = 0;
  for (const checkpoint::TensorEntry& entry : header.tensors) {
    require(entry.begin == next && entry.end >= next, "one after another, without gaps");
    next = entry.end;
  }
  require(next == data_bytes, "the tensors are all of the data");
  const std::string written = checkpoint::format_safetensors_header(header);
  const auto again =
      checkpoint::parse_safetensors_header(written.substr(kLengthBytes), data_bytes);
  require(
      again.tensors.size() == header.tensors.size() && again.metadata == header.metadata,
      "a header reads back");
}

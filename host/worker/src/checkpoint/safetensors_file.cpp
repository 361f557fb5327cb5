#include "checkpoint/safetensors_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::checkpoint {
namespace {

/// The JSON of the header; leaves the stream where the data begin.
std::string read_header_text(std::ifstream& file,
                             const std::filesystem::path& path,
                             uint64_t file_bytes) {
  std::array<unsigned char, kLengthBytes> length_bytes{};
  if (!file.read(reinterpret_cast<char*>(length_bytes.data()), kLengthBytes)) {
    refuse_safetensors(
        path, fmt::format("is no safetensors file: it has {} bytes", file_bytes));
  }
  uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = (length << 8U) | length_bytes[i];
  }
  if (length > kLongestHeaderBytes || length > file_bytes - kLengthBytes) {
    refuse_safetensors(
        path,
        fmt::format("is truncated or no safetensors file: it announces a header of {} "
                    "bytes and has {} in all",
                    length,
                    file_bytes));
  }
  std::string header(length, '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(length))) {
    refuse_safetensors(path, "cannot be read to its end");
  }
  return header;
}

}  // namespace

void refuse_safetensors(const std::filesystem::path& path, std::string_view what) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: {}", path.string(), what),
              "write or fetch the file again: it is no whole safetensors file");
}

SafetensorsFile open_safetensors_file(const std::filesystem::path& path) {
  SafetensorsFile file{std::ifstream(path, std::ios::binary), {}, 0};
  std::error_code fault;
  const uint64_t file_bytes = std::filesystem::file_size(path, fault);
  if (!file.stream || fault) {
    throw Error(ErrorCode::kIo,
                fmt::format("{}: cannot be read: {}",
                            path.string(),
                            fault ? fault.message() : std::strerror(errno)),
                "check the path and that you may read the file");
  }
  const std::string text = read_header_text(file.stream, path, file_bytes);
  file.data_begin = kLengthBytes + text.size();
  try {
    file.header = parse_safetensors_header(text, file_bytes - file.data_begin);
  } catch (const Error& error) {
    refuse_safetensors(path, error.message());
  }
  return file;
}

}  // namespace sizewise::checkpoint

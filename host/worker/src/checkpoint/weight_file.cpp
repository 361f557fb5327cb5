#include "checkpoint/weight_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "checkpoint/weight_readers.hpp"
#include "saved_model.hpp"

namespace sizewise::checkpoint {
namespace {

constexpr const char* kWhatIsRead =
    "give a safetensors file, the folder of a sharded one, or a state dict that Python's "
    "torch.save() wrote";

constexpr std::size_t kStartBytes = 16;

/// The first bytes of a file, as many as it has.
std::string read_start(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)),
        "check the path and that you may read the file");
  }
  std::string start(kStartBytes, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  return start;
}

bool begins_as_legacy_pickle(std::string_view start) {
  // PROTO 2, then LONG1 of 10 bytes: 0x1950a86a20f9469cfc6c.
  // Source: PyTorch, torch/serialization.py, MAGIC_NUMBER.
  return start.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
}

[[noreturn]] void refuse_content(const std::filesystem::path& path,
                                 std::string_view start) {
  if (begins_as_legacy_pickle(start)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: is in the format of torch.save() before version 1.6, "
                            "which is not read",
                            path.string()),
                "save it again, in Python: torch.save(torch.load(FILE), NEW_FILE, "
                "_use_new_zipfile_serialization=True)");
  }
  if (start.starts_with('\x80')) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: is a pickle that torch.save() did not write", path.string()),
        kWhatIsRead);
  }
  throw Error(ErrorCode::kInput,
              fmt::format("{}: is neither a safetensors file nor a state dict of "
                          "torch.save()",
                          path.string()),
              kWhatIsRead);
}

std::unique_ptr<WeightFile> open_folder(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / kWeightsIndexFile)) {
    return open_sharded_weights(folder);
  }
  if (std::filesystem::exists(folder / "model.safetensors")) {
    return open_safetensors_weights(folder / "model.safetensors");
  }
  throw Error(ErrorCode::kInput,
              fmt::format("{}: holds neither model.safetensors.index.json nor "
                          "model.safetensors",
                          folder.string()),
              kWhatIsRead);
}

}  // namespace

void WeightFile::read(std::size_t index, std::span<std::byte> bytes) {
  if (index >= tensors_.size() || bytes.size() != tensors_[index].bytes) {
    throw Error(
        ErrorCode::kInternal,
        fmt::format(
            "tensor {} of {} read into {} bytes", index, tensors_.size(), bytes.size()));
  }
  fill(index, bytes);
}

std::unique_ptr<WeightFile> open_weight_file(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    return open_folder(path);
  }
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: is no regular file", path.string()),
                kWhatIsRead);
  }
  const std::string start = read_start(path);
  if (start.starts_with("PK")) {
    return open_state_dict_weights(path);
  }
  constexpr std::size_t kJsonBegin = 8;
  if (start.size() > kJsonBegin && start[kJsonBegin] == '{') {
    return open_safetensors_weights(path);
  }
  refuse_content(path, start);
}

}  // namespace sizewise::checkpoint

#include "checkpoint/safetensors_writer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::checkpoint {
namespace {

/// A header's length, its braces and its padding; and the widest element.
constexpr uint64_t kHeaderFrame = 32;
constexpr uint64_t kWidest = 8;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t metadata_room(const std::map<std::string, std::string>& metadata) {
  return metadata.empty() ? 0 : nlohmann::json(metadata).dump().size() + kHeaderFrame;
}

/// Room is a multiple of 8 bytes, so that the data begin at one.
uint64_t rounded(uint64_t room) {
  return (room + kWidest - 1) / kWidest * kWidest;
}

}  // namespace

uint64_t header_room(std::string_view name, std::size_t dimensions) {
  constexpr std::string_view kEntry =
      R"(,:{"data_offsets":[,],"dtype":"F8_E4M3","shape":[]})";
  constexpr uint64_t kOffsetDigits = 15;  // a petabyte
  constexpr uint64_t kSizeDigits = 12;
  return nlohmann::json(name).dump().size() + kEntry.size() + 2 * kOffsetDigits +
         dimensions * (kSizeDigits + 1);
}

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path,
                                     uint64_t room,
                                     std::map<std::string, std::string> metadata)
    : path_(std::move(path)),
      room_(rounded(kHeaderFrame + metadata_room(metadata) + room)),
      file_(path_) {
  if (room_ > kLongestHeaderBytes) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: its header would need {} bytes; allowed: {}",
                            path_.string(),
                            room_,
                            kLongestHeaderBytes),
                "quantize fewer tensors at once");
  }
  header_.metadata = std::move(metadata);
  file_.append(std::string(room_, ' '));
}

void SafetensorsWriter::add(std::string name,
                            WeightType type,
                            std::vector<int64_t> shape,
                            std::span<const std::byte> bytes) {
  uint64_t expected = element_bytes(type);
  for (const int64_t size : shape) {
    expected *= static_cast<uint64_t>(size);
  }
  if (expected != bytes.size()) {
    throw Error(ErrorCode::kInternal,
                fmt::format("tensor '{}' has {} bytes, and {} by its shape",
                            name,
                            bytes.size(),
                            expected));
  }
  const bool waits = bytes.size() % kWidest != 0;
  if (waits && !beside_) {
    std::filesystem::path beside = path_;
    beside_.emplace(beside += ".waiting");
  }
  running::GrowingFile& file = waits ? *beside_ : file_;
  const uint64_t begin = waits ? file.size() : file.size() - room_;
  file.append(text_of(bytes));
  (waits ? waiting_ : header_.tensors)
      .push_back({std::move(name),
                  std::string(to_string(type)),
                  std::move(shape),
                  begin,
                  begin + bytes.size()});
}

uint64_t SafetensorsWriter::finish() {
  std::stable_sort(
      waiting_.begin(), waiting_.end(), [](const auto& left, const auto& right) {
        return element_bytes(left.type) > element_bytes(right.type);
      });
  for (TensorEntry& entry : waiting_) {
    const uint64_t bytes = entry.end - entry.begin;
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): add() made it for the first
    file_.append(*beside_, entry.begin, bytes);
    entry.end = file_.size() - room_;
    entry.begin = entry.end - bytes;
    header_.tensors.push_back(std::move(entry));
  }
  const std::string start = format_safetensors_header(header_, room_);
  if (start.size() != room_) {
    throw Error(ErrorCode::kInternal,
                fmt::format("{}: the header has {} bytes, and room for {}",
                            path_.string(),
                            start.size(),
                            room_));
  }
  file_.overwrite(0, start);
  const uint64_t bytes = file_.size();
  file_.commit();
  return bytes;
}

}  // namespace sizewise::checkpoint

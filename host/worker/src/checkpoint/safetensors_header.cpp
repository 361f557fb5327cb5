#include "checkpoint/safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

#include "checkpoint/unique_json.hpp"
#include "checkpoint/weight_type.hpp"

namespace sizewise::checkpoint {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "__metadata__";
constexpr uint64_t kAlignment = 8;

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::kInput, fmt::format("no valid safetensors header: {}", what));
}

json parse_header_json(std::string_view text) {
  if (!text.starts_with('{')) {
    refuse("it is no JSON object: it does not begin with '{'");
  }
  try {
    return parse_unique_json(text);
  } catch (const Error& error) {
    refuse(error.message());
  }
}

bool is_count(const json& value) {
  return value.is_number_unsigned() &&
         value.get<uint64_t>() <=
             static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

/// The bytes that a shape of a type takes; refuses what does not fit 64 bits.
uint64_t bytes_of(const TensorEntry& entry) {
  uint64_t bytes = element_bytes(entry.type);
  for (const int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
      refuse(fmt::format("the shape of '{}' is too large", entry.name));
    }
  }
  return bytes;
}

TensorEntry parse_entry(const std::string& name, const json& value) {
  const auto counts = [](const json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), is_count);
  };
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || !value.at("dtype").is_string() ||
      !counts(value.at("shape")) || !counts(value.at("data_offsets")) ||
      value.at("data_offsets").size() != 2) {
    refuse(fmt::format("'{}' needs a dtype, a shape and two data_offsets", name));
  }
  TensorEntry entry{name,
                    value.at("dtype").get<std::string>(),
                    value.at("shape").get<std::vector<int64_t>>(),
                    value.at("data_offsets").at(0).get<uint64_t>(),
                    value.at("data_offsets").at(1).get<uint64_t>()};
  if (element_bytes(entry.type) == 0) {
    refuse(fmt::format(
        "the dtype of '{}' is '{}'; allowed: {}", name, entry.type, weight_type_names()));
  }
  if (entry.begin > entry.end || entry.end - entry.begin != bytes_of(entry)) {
    refuse(fmt::format("'{}' has {} bytes by its shape, and data_offsets from {} to {}",
                       name,
                       bytes_of(entry),
                       entry.begin,
                       entry.end));
  }
  return entry;
}

void check_cover(const std::vector<TensorEntry>& tensors, uint64_t data_bytes) {
  uint64_t next = 0;
  for (const TensorEntry& entry : tensors) {
    if (entry.begin != next) {
      refuse(
          fmt::format("'{}' begins at byte {} of the data, where {} was expected: "
                      "tensors must neither overlap nor leave a gap",
                      entry.name,
                      entry.begin,
                      next));
    }
    next = entry.end;
  }
  if (next != data_bytes) {
    refuse(fmt::format(
        "the tensors take {} bytes, and the file has {} of data", next, data_bytes));
  }
}

}  // namespace

uint64_t element_bytes(std::string_view type) noexcept {
  const std::optional<WeightType> known = weight_type(type);
  return known ? element_bytes(*known) : 0;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t data_bytes) {
  const json object = parse_header_json(text);
  SafetensorsHeader header;
  for (const auto& [name, value] : object.items()) {
    if (name != kMetadata) {
      header.tensors.push_back(parse_entry(name, value));
      continue;
    }
    const bool texts = value.is_object() &&
                       std::all_of(value.begin(), value.end(), [](const json& item) {
                         return item.is_string();
                       });
    if (!texts) {
      refuse("__metadata__ must hold texts");
    }
    header.metadata = value.get<std::map<std::string, std::string>>();
  }
  std::sort(header.tensors.begin(),
            header.tensors.end(),
            [](const TensorEntry& left, const TensorEntry& right) {
              return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
            });
  check_cover(header.tensors, data_bytes);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header,
                                      uint64_t least_bytes) {
  json object = json::object();
  if (!header.metadata.empty()) {
    object[std::string(kMetadata)] = header.metadata;
  }
  for (const TensorEntry& entry : header.tensors) {
    object[entry.name] = {{"dtype", entry.type},
                          {"shape", entry.shape},
                          {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = object.dump();
  const uint64_t least = std::max<uint64_t>(text.size() + kLengthBytes, least_bytes);
  text.resize((least + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes, ' ');
  std::string bytes;
  for (unsigned i = 0; i < kLengthBytes; ++i) {
    bytes += static_cast<char>((text.size() >> (8U * i)) & 0xFFU);
  }
  return bytes + text;
}

}  // namespace sizewise::checkpoint

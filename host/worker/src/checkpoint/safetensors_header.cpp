#include "checkpoint/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise::checkpoint {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "__metadata__";
constexpr uint64_t kAlignment = 8;

constexpr std::array<std::pair<std::string_view, uint64_t>, 10> kTypes = {{
    {"F64", 8},
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"I64", 8},
    {"I32", 4},
    {"I16", 2},
    {"I8", 1},
    {"U8", 1},
    {"BOOL", 1},
}};

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::kInput, fmt::format("no valid safetensors header: {}", what));
}

/// Parses JSON and refuses a name that stands twice, which a parser would let pass.
json parse_unique(std::string_view text) {
  std::vector<std::set<std::string>> names;
  const auto watch = [&names](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      names.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      names.pop_back();
    } else if (event == json::parse_event_t::key &&
               !names.back().insert(parsed.get<std::string>()).second) {
      refuse(fmt::format("it names '{}' twice", parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception& error) {
    refuse(error.what());
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
    refuse(
        fmt::format("the dtype of '{}' is '{}'; allowed: F64, F32, F16, BF16, I64, "
                    "I32, I16, I8, U8, BOOL",
                    name,
                    entry.type));
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
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& known) {
    return known.first == type;
  });
  return found == kTypes.end() ? 0 : found->second;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t data_bytes) {
  const json object = parse_unique(text);
  if (!object.is_object()) {
    refuse("it is no JSON object");
  }
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

std::string format_safetensors_header(const SafetensorsHeader& header) {
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
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) {
    bytes += static_cast<char>((text.size() >> (8U * i)) & 0xFFU);
  }
  return bytes + text;
}

}  // namespace sizewise::checkpoint

#include "token_file.hpp"

#include <array>
#include <charconv>
#include <regex>

#include "sizewise/error.hpp"

namespace sizewise::datasets {
namespace {

struct TypeFacts {
  TokenType type;
  std::string_view name;
  std::string_view npy;  ///< as a .npy header spells it
  std::size_t width;
};

constexpr std::array<TypeFacts, 5> kTypes = {{
    {TokenType::kUint8, "uint8", "|u1", 1},
    {TokenType::kUint16, "uint16", "<u2", 2},
    {TokenType::kUint32, "uint32", "<u4", 4},
    {TokenType::kInt32, "int32", "<i4", 4},
    {TokenType::kInt64, "int64", "<i8", 8},
}};

constexpr std::string_view kNpyMagic = "\x93NUMPY";

const TypeFacts& facts_of(TokenType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& fault) {
  throw Error(
      ErrorCode::kInput,
      "tokens: " + file.string() + ": " + fault,
      "give a .bin file of little-endian integers, or a .npy file that numpy.save "
      "wrote of an array with one dimension");
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    value = value << 8U | static_cast<unsigned char>(*byte);
  }
  return value;
}

/// The header's text, and in `first_byte` where the data begin.
/// Source: NumPy enhancement proposal 1 and numpy.lib.format, versions 1.0 to 3.0.
std::string npy_header(const std::filesystem::path& file,
                       std::string_view bytes,
                       std::size_t& first_byte) {
  if (!bytes.starts_with(kNpyMagic) || bytes.size() < 10) {
    refuse(file,
           "expected a .npy header (\\x93NUMPY), found a file of " +
               std::to_string(bytes.size()) + " bytes that begins otherwise");
  }
  const auto version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) {
    refuse(file, "expected .npy version 1, 2 or 3, found " + std::to_string(version));
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t begin = 8 + length_bytes;
  const std::size_t length = little_endian(bytes.substr(8, length_bytes));
  if (bytes.size() < begin || length > bytes.size() - begin) {
    refuse(file,
           "expected a header of " + std::to_string(length) + " bytes, found a file of " +
               std::to_string(bytes.size()));
  }
  constexpr std::size_t kLongestHeader = 65536;
  if (length > kLongestHeader) {
    refuse(file,
           "its header has " + std::to_string(length) + " bytes; allowed: up to " +
               std::to_string(kLongestHeader));
  }
  first_byte = begin + length;
  return std::string(bytes.substr(begin, length));
}

/// What stands after a key of the header's dictionary, by the pattern of its value.
std::string npy_field(const std::filesystem::path& file,
                      const std::string& header,
                      const std::string& key,
                      const std::string& value_pattern,
                      const std::string& expected) {
  std::smatch found;
  if (!std::regex_search(
          header, found, std::regex("'" + key + "'\\s*:\\s*" + value_pattern))) {
    refuse(file, "expected " + expected + ", found the header " + header.substr(0, 200));
  }
  return found[1];
}

TokenLayout npy_layout(const std::filesystem::path& file, std::string_view bytes) {
  TokenLayout layout;
  const std::string header = npy_header(file, bytes, layout.first_byte);
  const std::string type =
      npy_field(file, header, "descr", "'([^']*)'", "a plain type 'descr'");
  const std::string count = npy_field(file,
                                      header,
                                      "shape",
                                      "\\(\\s*([0-9]{1,18})\\s*,?\\s*\\)",
                                      "a 'shape' of one dimension");
  for (const TypeFacts& facts : kTypes) {
    if (facts.npy == type) {
      layout.type = facts.type;
      std::from_chars(count.data(), count.data() + count.size(), layout.tokens);
      return layout;
    }
  }
  refuse(file, "its type is '" + type + "'; allowed: |u1, <u2, <u4, <i4, <i8");
}

void check_length(const std::filesystem::path& file,
                  const TokenLayout& layout,
                  std::size_t data_bytes) {
  const auto found = static_cast<int64_t>(data_bytes / width_of(layout.type));
  if (found != layout.tokens || data_bytes % width_of(layout.type) != 0) {
    refuse(file,
           "expected " + std::to_string(layout.tokens) + " tokens of type " +
               std::string(to_string(layout.type)) + ", found " +
               std::to_string(data_bytes) + " bytes of them, which is " +
               std::to_string(found) + " and " +
               std::to_string(data_bytes % width_of(layout.type)) + " bytes over");
  }
}

}  // namespace

std::string_view to_string(TokenType type) {
  return facts_of(type).name;
}

std::size_t width_of(TokenType type) {
  return facts_of(type).width;
}

std::optional<TokenType> token_type_from_string(std::string_view name) {
  for (const TypeFacts& facts : kTypes) {
    if (facts.name == name) {
      return facts.type;
    }
  }
  return std::nullopt;
}

TokenLayout layout_of(const std::filesystem::path& file,
                      std::string_view bytes,
                      std::string_view dtype) {
  const std::optional<TokenType> asked = token_type_from_string(dtype);
  TokenLayout layout;
  if (file.extension() == ".npy") {
    layout = npy_layout(file, bytes);
    if (asked && *asked != layout.type) {
      refuse(file,
             "its header says " + std::string(to_string(layout.type)) +
                 " and the option dtype says " + std::string(dtype));
    }
  } else if (file.extension() == ".bin") {
    layout.type = asked.value_or(TokenType::kUint16);
    layout.tokens = static_cast<int64_t>(bytes.size() / width_of(layout.type));
  } else {
    refuse(
        file,
        "its extension is '" + file.extension().string() + "'; allowed: .bin and .npy");
  }
  check_length(file, layout, bytes.size() - layout.first_byte);
  return layout;
}

}  // namespace sizewise::datasets

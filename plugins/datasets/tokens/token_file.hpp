#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sizewise::datasets {

/// Types that a token may have in a file.
enum class TokenType { kUint8, kUint16, kUint32, kInt32, kInt64 };

/// "uint8", "uint16", "uint32", "int32" or "int64". [any thread]
[[nodiscard]] std::string_view to_string(TokenType type);
[[nodiscard]] std::optional<TokenType> token_type_from_string(std::string_view name);
/// Bytes of one token. [any thread]
[[nodiscard]] std::size_t width_of(TokenType type);

/// Where a file's tokens are.
struct TokenLayout {
  TokenType type = TokenType::kUint16;
  std::size_t first_byte = 0;
  int64_t tokens = 0;
};

/// Understands a file's beginning and length.
/// @param file names it in messages; its extension, .bin or .npy, says the format
/// @param bytes all of it
/// @param dtype a type's name, or "auto"
/// @throws Error kInput where the extension is another, the file is truncated, its length
///   is no whole number of tokens, or its header is none that NumPy writes for one
///   dimension of little-endian integers
[[nodiscard]] TokenLayout layout_of(const std::filesystem::path& file,
                                    std::string_view bytes,
                                    std::string_view dtype);

}  // namespace sizewise::datasets

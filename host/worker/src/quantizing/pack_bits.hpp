#pragma once

#include <cstdint>
#include <span>

// Codes of a few bits, packed into words of 32 bits: code i of a line, plus 2^(bits-1),
// stands at bit i * bits of the line's words; bits behind the last code are 0.
// Source: compressed-tensors 0.20, compressors/pack_quantized/helpers.py.

namespace sizewise::quantizing {

/// Which codes of a matrix are one line.
enum class PackedLines {
  kRows,     ///< {R, C} becomes {R, packed_words(C)}
  kColumns,  ///< {R, C} becomes {packed_words(R), C}
};

/// The words that a line of codes takes. @param bits 1 to 8
[[nodiscard]] int64_t packed_words(int64_t codes, int bits);

/// @param codes rows * columns, each within [-2^(bits-1), 2^(bits-1) - 1]
/// @param bits 1 to 8
/// @param words as many as the packed matrix has
void pack_codes(std::span<const int8_t> codes,
                int64_t rows,
                int64_t columns,
                int bits,
                PackedLines lines,
                std::span<int32_t> words);

/// Undoes pack_codes(). Every word has a meaning, so that what was unpacked packs to the
/// same words.
/// @returns false where a bit behind a line's last code is set
[[nodiscard]] bool unpack_codes(std::span<const int32_t> words,
                                int64_t rows,
                                int64_t columns,
                                int bits,
                                PackedLines lines,
                                std::span<int8_t> codes);

}  // namespace sizewise::quantizing

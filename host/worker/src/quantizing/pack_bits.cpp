#include "quantizing/pack_bits.hpp"

#include <cassert>
#include <cstddef>

namespace sizewise::quantizing {
namespace {

constexpr unsigned kWordBits = 32;

/// Where the codes and the words of a matrix's lines stand.
struct Lines {
  std::size_t count = 0;
  std::size_t length = 0;      ///< codes of one
  std::size_t words = 0;       ///< of one
  std::size_t code_begin = 0;  ///< from one line's first code to that of the next
  std::size_t word_begin = 0;
  std::size_t step = 0;  ///< from one code (word) of a line to the next
};

Lines lines_of(int64_t rows, int64_t columns, int bits, PackedLines along) {
  assert(rows >= 0 && columns >= 0 && bits >= 1 && bits <= 8);
  const auto height = static_cast<std::size_t>(rows);
  const auto width = static_cast<std::size_t>(columns);
  if (along == PackedLines::kRows) {
    const auto words = static_cast<std::size_t>(packed_words(columns, bits));
    return {height, width, words, width, words, 1};
  }
  const auto words = static_cast<std::size_t>(packed_words(rows, bits));
  return {width, height, words, 1, 1, width};
}

}  // namespace

int64_t packed_words(int64_t codes, int bits) {
  return (codes * bits + kWordBits - 1) / kWordBits;
}

void pack_codes(std::span<const int8_t> codes,
                int64_t rows,
                int64_t columns,
                int bits,
                PackedLines along,
                std::span<int32_t> words) {
  const Lines lines = lines_of(rows, columns, bits, along);
  assert(codes.size() == lines.count * lines.length);
  assert(words.size() == lines.count * lines.words);
  const int offset = 1 << (bits - 1);
  for (std::size_t line = 0; line < lines.count; ++line) {
    std::size_t next = line * lines.word_begin;
    uint64_t window = 0;  // bits that are no whole word yet, the first code lowest
    unsigned filled = 0;
    for (std::size_t i = 0; i < lines.length; ++i) {
      const int8_t code = codes[line * lines.code_begin + i * lines.step];
      window |= static_cast<uint64_t>(code + offset) << filled;
      filled += static_cast<unsigned>(bits);
      if (filled >= kWordBits) {
        words[next] = static_cast<int32_t>(static_cast<uint32_t>(window));
        next += lines.step;
        window >>= kWordBits;
        filled -= kWordBits;
      }
    }
    if (filled > 0) {
      words[next] = static_cast<int32_t>(static_cast<uint32_t>(window));
    }
  }
}

bool unpack_codes(std::span<const int32_t> words,
                  int64_t rows,
                  int64_t columns,
                  int bits,
                  PackedLines along,
                  std::span<int8_t> codes) {
  const Lines lines = lines_of(rows, columns, bits, along);
  assert(codes.size() == lines.count * lines.length);
  assert(words.size() == lines.count * lines.words);
  const int offset = 1 << (bits - 1);
  const uint64_t mask = (1U << static_cast<unsigned>(bits)) - 1U;
  uint64_t spare = 0;
  for (std::size_t line = 0; line < lines.count; ++line) {
    std::size_t next = line * lines.word_begin;
    uint64_t window = 0;
    unsigned filled = 0;
    for (std::size_t i = 0; i < lines.length; ++i) {
      if (filled < static_cast<unsigned>(bits)) {
        window |= static_cast<uint64_t>(static_cast<uint32_t>(words[next])) << filled;
        next += lines.step;
        filled += kWordBits;
      }
      codes[line * lines.code_begin + i * lines.step] =
          static_cast<int8_t>(static_cast<int>(window & mask) - offset);
      window >>= static_cast<unsigned>(bits);
      filled -= static_cast<unsigned>(bits);
    }
    spare |= window;
  }
  return spare == 0;
}

}  // namespace sizewise::quantizing

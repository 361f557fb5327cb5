#include "quantizing/pack_bits.hpp"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sizewise::quantizing {
namespace {

using ::testing::ElementsAre;

std::vector<int8_t> any_codes(std::size_t count, int bits) {
  std::mt19937 random(static_cast<unsigned>(bits));
  std::uniform_int_distribution<int> code(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
  std::vector<int8_t> codes(count);
  for (int8_t& each : codes) {
    each = static_cast<int8_t>(code(random));
  }
  return codes;
}

TEST(PackBits, PutsTheFirstCodeInTheLowestBits) {
  // Plus 8: 0, 15, 8, 9, 7, 1, 2, 3, then 14 in a word of its own.
  const std::vector<int8_t> codes = {-8, 7, 0, 1, -1, -7, -6, -5, 6};
  std::vector<int32_t> words(2);
  pack_codes(codes, 1, 9, 4, PackedLines::kRows, words);
  EXPECT_THAT(words, ElementsAre(0x321798F0, 0x0000000E));
}

TEST(PackBits, SplitsACodeBetweenTwoWords) {
  // Eleven codes of 3 bits take 33 bits.
  const std::vector<int8_t> codes = {3, -4, -4, -4, -4, -4, -4, -4, -4, -4, 3};
  std::vector<int32_t> words(2);
  pack_codes(codes, 1, 11, 3, PackedLines::kRows, words);
  EXPECT_EQ(static_cast<uint32_t>(words[0]), 0xC0000007U);
  EXPECT_EQ(words[1], 1);
}

TEST(PackBits, ComeBackFromRowsAndColumns) {
  for (int bits = 1; bits <= 8; ++bits) {
    for (const int64_t rows : {0, 1, 5, 33}) {
      for (const int64_t columns : {0, 1, 7, 32, 67}) {
        const auto codes = any_codes(static_cast<std::size_t>(rows * columns), bits);
        for (const PackedLines lines : {PackedLines::kRows, PackedLines::kColumns}) {
          const int64_t count = lines == PackedLines::kRows
                                    ? rows * packed_words(columns, bits)
                                    : packed_words(rows, bits) * columns;
          std::vector<int32_t> words(static_cast<std::size_t>(count));
          pack_codes(codes, rows, columns, bits, lines, words);
          std::vector<int8_t> back(codes.size());
          EXPECT_TRUE(unpack_codes(words, rows, columns, bits, lines, back));
          EXPECT_EQ(back, codes) << bits << " bits, " << rows << " x " << columns;
        }
      }
    }
  }
}

TEST(PackBits, TellWhereBitsAreSetBehindTheLastCode) {
  const auto codes = any_codes(3, 4);
  std::vector<int32_t> words(1);
  pack_codes(codes, 1, 3, 4, PackedLines::kRows, words);
  std::vector<int8_t> back(3);
  for (unsigned bit = 12; bit < 32; ++bit) {
    const std::vector<int32_t> forged = {
        static_cast<int32_t>(static_cast<uint32_t>(words[0]) | (1U << bit))};
    EXPECT_FALSE(unpack_codes(forged, 1, 3, 4, PackedLines::kRows, back)) << bit;
  }
}

}  // namespace
}  // namespace sizewise::quantizing

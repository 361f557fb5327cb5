#include "text.hpp"

#include <gtest/gtest.h>

namespace sizewise::cli {
namespace {

TEST(Text, IsWrappedAtSpaces) {
  const std::string word(30, 'x');
  EXPECT_EQ(wrapped(word + " " + word + " " + word, 4),
            "    " + word + " " + word + "\n    " + word + "\n");
  EXPECT_EQ(wrapped("", 4), "");
  const std::string long_word(100, 'y');
  EXPECT_EQ(wrapped("a " + long_word, 0), "a\n" + long_word + "\n");
}

TEST(Text, IsMeasuredInLettersNotBytes) {
  // 40 letters of two bytes each, twice, with a space: 81 columns.
  std::string word;
  for (int i = 0; i < 40; ++i) {
    word += "ä";
  }
  EXPECT_EQ(wrapped(word + " " + word, 0), word + "\n" + word + "\n");
  EXPECT_EQ(wrapped(word + " x", 0), word + " x\n");
}

}  // namespace
}  // namespace sizewise::cli

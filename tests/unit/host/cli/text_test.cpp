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

TEST(Text, IsShortenedByLettersNotBytes) {
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(shortened("longer text", 8), "longe...");
  EXPECT_EQ(shortened("größere Größe", 9), "größer...");
}

}  // namespace
}  // namespace sizewise::cli

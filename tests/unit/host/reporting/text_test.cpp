#include "reporting/text.hpp"

#include <gtest/gtest.h>

namespace sizewise::reporting {
namespace {

TEST(Text, IsWrappedAtSpaces) {
  const std::string word(30, 'x');
  EXPECT_EQ(wrapped(word + " " + word + "\n" + word, 4),
            "    " + word + " " + word + "\n    " + word + "\n");
  EXPECT_EQ(wrapped("", 4), "");
  const std::string long_word(100, 'y');
  EXPECT_EQ(wrapped("a " + long_word, 0), "a\n" + long_word + "\n");
  EXPECT_EQ(wrapped("one two three", 0, 7), "one two\nthree\n");
}

TEST(Text, IsMeasuredInLettersNotBytes) {
  EXPECT_EQ(wrapped("größere Größe", 0, 13), "größere Größe\n");
}

TEST(Text, HangsFromItsHead) {
  EXPECT_EQ(hanging("  - ", "one two three", 11), "  - one two\n    three\n");
  EXPECT_EQ(hanging("  - ", "", 11), "  - \n");
}

}  // namespace
}  // namespace sizewise::reporting

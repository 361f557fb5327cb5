#include "numbers.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::cli {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::string refusal(auto call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    return error.message();
  }
  return "(no error)";
}

TEST(Numbers, ReadScientificNotation) {
  EXPECT_EQ(parse_number("--x", "1e9", 0, 1e300), 1e9);
  EXPECT_EQ(parse_number("--x", "-2.5", -10, 10), -2.5);
  EXPECT_EQ(parse_integer("--x", "1e6", 0, kMost), 1000000);
  EXPECT_EQ(parse_integer("--x", "9223372036854775807", 0, kMost), kMost);
}

TEST(Numbers, AreRefusedWithAnExampleThatWouldDo) {
  const auto suggestion = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.suggestion();
    }
    return std::string("(no error)");
  };
  EXPECT_EQ(suggestion([] {
              (void)parse_number("--warmup", "2", 0, 1);
            }),
            "for example: --warmup 1");
  EXPECT_EQ(suggestion([] {
              (void)parse_integer("--jobs", "many", 1, 8);
            }),
            "for example: --jobs 1");
  EXPECT_EQ(suggestion([] {
              (void)parse_positive_list("--budgets", "many");
            }),
            "for example: --budgets 1e9,3e9,1e10");
}

TEST(Numbers, AreRefusedWithTheFlagTheValueAndTheRange) {
  EXPECT_EQ(refusal([] {
              (void)parse_number("--warmup", "2", 0, 1);
            }),
            "--warmup is '2'; allowed: a number, 0 to 1");
  EXPECT_EQ(refusal([] {
              (void)parse_integer("--jobs", "0", 1, kMost);
            }),
            "--jobs is '0'; allowed: an integer, at least 1");
  EXPECT_EQ(refusal([] {
              (void)parse_integer("--jobs", "1.5", 1, 8);
            }),
            "--jobs is '1.5'; allowed: an integer, 1 to 8");
  for (const char* text : {"", "one", "1x", "nan", "inf", "1e999", " 1"}) {
    EXPECT_THAT(refusal([&] {
                  (void)parse_number("--x", text, 0, 1);
                }),
                HasSubstr("allowed: a number"))
        << text;
  }
  // Past 2^53 the spelling 1e17 would be rounded.
  EXPECT_THAT(refusal([] {
                (void)parse_integer("--x", "1e17", 0, kMost);
              }),
              HasSubstr("allowed: an integer"));
}

TEST(PositiveList, TakesCommasAndSpansInLogarithm) {
  EXPECT_THAT(parse_positive_list("--budgets", "1e9,3e9,1e10"),
              ElementsAre(1e9, 3e9, 1e10));
  EXPECT_THAT(parse_positive_list("--budgets", "1e9:1e11:5"),
              ElementsAre(1e9,
                          DoubleNear(std::pow(10, 9.5), 1.0),
                          DoubleNear(1e10, 1.0),
                          DoubleNear(std::pow(10, 10.5), 1.0),
                          1e11));
  EXPECT_THAT(parse_positive_list("--budgets", "5:5:2"), ElementsAre(5, 5));
}

TEST(PositiveList, RefusesWhatIsNoSuchList) {
  for (const char* text : {"",
                           "1e9,",
                           "0",
                           "-1e9",
                           "1e9:1e8:5",
                           "1e9:1e10",
                           "1e9:1e10:1",
                           "1e9:1e10:2000",
                           "1e9:1e10:5:2",
                           "0:1:3",
                           "a,b",
                           ":",
                           "::"}) {
    EXPECT_THAT(refusal([&] {
                  (void)parse_positive_list("--budgets", text);
                }),
                HasSubstr("--budgets is '" + std::string(text) + "'; allowed: positive"))
        << text;
  }
}

}  // namespace
}  // namespace sizewise::cli

#include "sizewise/error.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace sizewise {
namespace {

TEST(Error, CarriesWhatWentWrongAndWhatToDo) {
  const Error error(ErrorCode::kInput, "the file is empty", "give another");
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_STREQ(error.what(), "the file is empty");
  EXPECT_EQ(error.suggestion(), "give another");
}

TEST(Error, CodesHaveNamesThatReadBack) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(error_code_from_string(to_string(code)), code);
  }
  EXPECT_EQ(to_string(ErrorCode::kConfiguration), "configuration");
  EXPECT_EQ(to_string(static_cast<ErrorCode>(99)), "internal");
  EXPECT_EQ(error_code_from_string("no such code"), ErrorCode::kInternal);
}

}  // namespace
}  // namespace sizewise

#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::test {

/// Fails where a call does not throw an Error of a code with texts in its message.
template <class Call>
void expect_refusal(const Call& call,
                    std::string_view what,
                    std::string_view suggestion = "",
                    ErrorCode code = ErrorCode::kInput) {
  try {
    call();
    ADD_FAILURE() << "accepted; expected: " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message(), ::testing::HasSubstr(std::string(what)));
    EXPECT_THAT(error.suggestion(), ::testing::HasSubstr(std::string(suggestion)));
  }
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  ASSERT_TRUE(file.flush()) << path;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace sizewise::test

#include "sizewise/digest.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

using ::testing::HasSubstr;

// Source: FIPS 180-4's examples, "abc" and the empty message.
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, EqualsItsStandard) {
  EXPECT_EQ(sha256_of_text("abc"), kOfAbc);
  EXPECT_EQ(sha256_of_text(""), kOfNothing);
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / "sizewise_digest_test";
  const std::string bytes(1 << 20, 'x');  // more than one block
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(sha256_of_file(path), sha256_of_text(bytes));
  std::filesystem::remove(path);
}

TEST(Sha256, RefusesAFileThatCannotBeRead) {
  for (const char* path : {"/no/such/file", "/"}) {
    try {
      (void)sha256_of_file(path);
      ADD_FAILURE() << "no error for " << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_THAT(error.message(), HasSubstr(path));
    }
  }
}

}  // namespace
}  // namespace sizewise

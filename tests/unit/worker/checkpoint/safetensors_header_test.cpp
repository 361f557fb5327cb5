#include "checkpoint/safetensors_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "checkpoint/weight_type.hpp"

namespace sizewise::checkpoint {
namespace {

using test::expect_refusal;

// What needs LibTorch to write it is tested in safetensors_test.cpp, with more refusals.

TEST(SafetensorsHeader, ReadsEveryTypeOfOurs) {
  for (const auto& [name, bytes] :
       std::vector<std::pair<std::string, uint64_t>>{{"F64", 8},
                                                     {"F32", 4},
                                                     {"F16", 2},
                                                     {"BF16", 2},
                                                     {"I64", 8},
                                                     {"I32", 4},
                                                     {"I16", 2},
                                                     {"I8", 1},
                                                     {"U8", 1},
                                                     {"BOOL", 1},
                                                     {"F8_E4M3", 1},
                                                     {"F8_E5M2", 1}}) {
    ASSERT_TRUE(weight_type(name)) << name;
    EXPECT_EQ(to_string(*weight_type(name)), name);
    EXPECT_EQ(element_bytes(name), bytes) << name;
    const SafetensorsHeader header = parse_safetensors_header(
        R"({"a":{"dtype":")" + name + R"(","shape":[3],"data_offsets":[0,)" +
            std::to_string(3 * bytes) + "]}}",
        3 * bytes);
    EXPECT_EQ(header.tensors.at(0).type, name);
  }
  EXPECT_EQ(element_bytes("F4"), 0U);
  EXPECT_EQ(element_bytes(""), 0U);
}

TEST(SafetensorsHeader, NamesTheTypesThatAreAllowed) {
  expect_refusal(
      [] {
        static_cast<void>(parse_safetensors_header(
            R"({"a":{"dtype":"U16","shape":[1],"data_offsets":[0,2]}})", 2));
      },
      "the dtype of 'a' is 'U16'; allowed: F64, F32, F16, BF16, I64, I32, I16, I8, U8, "
      "BOOL, F8_E4M3, F8_E5M2");
}

TEST(SafetensorsHeader, RefusesAHeaderThatDoesNotBeginWithABrace) {
  for (const char* text : {" {}", "[]", "", "\n{}"}) {
    expect_refusal(
        [&] {
          static_cast<void>(parse_safetensors_header(text, 0));
        },
        "no JSON object: it does not begin with '{'");
  }
  EXPECT_NO_THROW(static_cast<void>(parse_safetensors_header("{}    ", 0)));
}

TEST(SafetensorsHeader, RefusesMetadataThatNamesAKeyTwice) {
  expect_refusal(
      [] {
        static_cast<void>(
            parse_safetensors_header(R"({"__metadata__":{"a":"1","a":"2"}})", 0));
      },
      "names 'a' twice");
}

}  // namespace
}  // namespace sizewise::checkpoint

#include "loading/build_tag_check.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/build_tag.hpp"

#include "files.hpp"

namespace sizewise::loading {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kHost =
    "arch=x86_64;sdk=2.3;stdlib=libstdc++;cxx11_abi=1;debug=0;sanitizer=none;torch=none;"
    "compiler=12.2.0";

/// The message of the refusal of the host's own tag with one piece replaced.
std::string refusal(std::string_view from, std::string_view to) {
  std::string tag(kHost);
  tag.replace(tag.find(from), from.size(), to);
  const Error error = error_of([&] {
    check_build_tag(tag, kHost);
  });
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  EXPECT_THAT(error.suggestion(), HasSubstr("find_package(Sizewise)"));
  return error.message();
}

TEST(BuildTag, OfThisBuildIsAccepted) {
  EXPECT_NO_THROW(check_build_tag(SIZEWISE_BUILD_TAG));
}

TEST(BuildTag, NamesEachFieldThatDiffersWithBothValues) {
  EXPECT_EQ(refusal("arch=x86_64", "arch=aarch64"),
            "E_ABI: it was built for another host (arch: plugin aarch64, host x86_64)");
  EXPECT_THAT(refusal("libstdc++", "libc++"), HasSubstr("stdlib: plugin libc++, host"));
  EXPECT_THAT(refusal("abi=1", "abi=0"), HasSubstr("cxx11_abi: plugin 0, host 1"));
  EXPECT_THAT(refusal("debug=0", "debug=1"), HasSubstr("debug: plugin 1, host 0"));
  EXPECT_THAT(refusal("sanitizer=none", "sanitizer=address"),
              HasSubstr("sanitizer: plugin address, host none"));
  EXPECT_THAT(refusal("debug=0;sanitizer=none", "debug=1;sanitizer=thread"),
              AllOf(HasSubstr("debug: plugin 1"), HasSubstr("sanitizer: plugin thread")));
  EXPECT_THAT(refusal("debug=0;", ""), HasSubstr("debug: plugin (absent), host 0"));
}

TEST(BuildTag, TakesAnOlderMinorOfTheSameMajorSdk) {
  const auto with_sdk = [](std::string_view sdk) {
    std::string tag(kHost);
    tag.replace(tag.find("2.3"), 3, sdk);
    return tag;
  };
  EXPECT_NO_THROW(check_build_tag(with_sdk("2.0"), kHost));
  EXPECT_NO_THROW(check_build_tag(with_sdk("2.3"), kHost));
  EXPECT_THAT(refusal("sdk=2.3", "sdk=2.4"), HasSubstr("sdk: plugin 2.4, host 2.3"));
  EXPECT_THAT(refusal("sdk=2.3", "sdk=1.3"), HasSubstr("sdk: plugin 1.3, host 2.3"));
  EXPECT_THAT(refusal("sdk=2.3", "sdk=2"), HasSubstr("sdk: plugin 2, host 2.3"));
  EXPECT_THAT(refusal("sdk=2.3;", ""), HasSubstr("sdk: plugin (absent)"));
}

TEST(BuildTag, ComparesNeitherCompilerNorLibTorchInTheHost) {
  EXPECT_NO_THROW(check_build_tag(
      "arch=x86_64;sdk=2.3;stdlib=libstdc++;cxx11_abi=1;debug=0;sanitizer=none;"
      "torch=2.13.0;compiler=Clang 19;later=field",
      kHost));
}

TEST(BuildTag, ComparesLibTorchWhereItIsLinked) {
  PluginFile plugin;
  plugin.build_tag = "arch=x86_64;torch=2.13.0;compiler=12";
  EXPECT_NO_THROW(check_torch(plugin, "2.13.0"));
  const Error error = error_of([&] {
    check_torch(plugin, "2.14.0");
  });
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("E_ABI"), HasSubstr("torch: plugin 2.13.0, host 2.14.0")));
}

}  // namespace
}  // namespace sizewise::loading

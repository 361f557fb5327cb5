#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/quantizer.hpp"

#include "plugin_under_test.hpp"

namespace sizewise::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refusal_of(const char* id, const std::string& options) {
  return error_of([&] {
    (void)make_quantizer(id, options);
  });
}

TEST(QuantizerOptions, AreThoseOfTheInterface) {
  for (const char* const id : {"dynamic", "per_channel", "static"}) {
    const Manifest manifest = manifest_of(id);
    EXPECT_EQ(manifest.kind, PluginKind::kQuantizer);
    for (const char* const name : {"bits", "scheme", "granularity", "group_size"}) {
      EXPECT_NE(manifest.options.find(name), nullptr) << id << ": " << name;
    }
    EXPECT_EQ(refusal_of(id, "{}"), "(no error)");
  }
  const Manifest manifest = manifest_of("static");
  const OptionSpec* const observer = manifest.options.find("observer");
  ASSERT_NE(observer, nullptr);
  EXPECT_THAT(observer->allowed,
              ::testing::UnorderedElementsAre(
                  "minmax", "moving_average", "percentile", "mse", "entropy"));
}

TEST(QuantizerOptions, RefuseOtherBitsNamingThoseAllowed) {
  for (const char* const id : {"dynamic", "static"}) {
    for (const int bits : {-8, 0, 1, 3, 5, 6, 7, 9, 16, 32}) {
      const std::string number = std::to_string(bits);
      EXPECT_THAT(refusal_of(id, "{\"bits\": " + number + "}"),
                  AllOf(StartsWith("configuration: option 'bits' of plugin '" +
                                   std::string(id) + "' is " + number + ";"),
                        HasSubstr("allowed: integer, one of 8, 4, default 8")));
    }
  }
  for (const int bits : {5, 6, 7, 12}) {
    EXPECT_THAT(refusal_of("per_channel", "{\"bits\": " + std::to_string(bits) + "}"),
                HasSubstr("allowed: integer, one of 8, 4, 16, default 8"));
  }
}

TEST(QuantizerOptions, RefuseOtherWordsNamingThoseAllowed) {
  for (const char* const id : {"dynamic", "per_channel", "static"}) {
    EXPECT_THAT(refusal_of(id, R"({"scheme": "signed"})"),
                AllOf(StartsWith("configuration: "),
                      HasSubstr("one of symmetric, asymmetric, auto")));
    EXPECT_THAT(refusal_of(id, R"({"granularity": "row"})"),
                HasSubstr("one of channel, group, tensor"));
    EXPECT_THAT(refusal_of(id, R"({"granularity": "group", "group_size": 8})"),
                HasSubstr("is 8; allowed: integer, 16 to 65536"));
  }
  EXPECT_THAT(refusal_of("static", R"({"observer": "max"})"), HasSubstr("minmax"));
  EXPECT_THAT(refusal_of("dynamic", R"({"activations": "row"})"),
              HasSubstr("one of token, tensor"));
  EXPECT_THAT(refusal_of("dynamic", R"({"observer": "minmax"})"),
              HasSubstr("unknown option 'observer'"));
  EXPECT_THAT(refusal_of("dynamic", R"({"half_type": "float16"})"),
              HasSubstr("unknown option 'half_type'"));
}

TEST(QuantizerOptions, RefuseAGroupSizeWithoutGroups) {
  for (const char* const id : {"dynamic", "per_channel", "static"}) {
    EXPECT_EQ(refusal_of(id, R"({"group_size": 64})"),
              "configuration: plugin '" + std::string(id) +
                  "': option 'group_size' is 64 with granularity channel; allowed: with "
                  "granularity group alone | set granularity to group, or leave "
                  "group_size out");
    EXPECT_THAT(refusal_of(id, R"({"group_size": 64, "granularity": "tensor"})"),
                HasSubstr("with granularity tensor"));
    EXPECT_THAT(refusal_of(id, R"({"group_size": 24, "granularity": "group"})"),
                AllOf(StartsWith("configuration: "),
                      HasSubstr("'group_size' is 24; allowed: multiples of 16")));
    EXPECT_EQ(refusal_of(id, R"({"group_size": 48, "granularity": "group"})"),
              "(no error)");
  }
}

TEST(QuantizerOptions, RefuseHalvesOfIntegers) {
  EXPECT_EQ(refusal_of("per_channel", R"({"half_type": "bfloat16"})"),
            "configuration: plugin 'per_channel': option 'half_type' is bfloat16 with "
            "bits 8; allowed: with bits 16 alone | set bits to 16, or leave half_type "
            "out");
  EXPECT_THAT(refusal_of("per_channel", R"({"half_type": "float16", "bits": 4})"),
              HasSubstr("with bits 4"));
  EXPECT_EQ(refusal_of("per_channel", R"({"half_type": "float16", "bits": 16})"),
            "(no error)");
}

TEST(QuantizerOptions, RefuseScalesOfSixteenBits) {
  EXPECT_EQ(refusal_of("per_channel", R"({"bits": 16, "scheme": "asymmetric"})"),
            "configuration: plugin 'per_channel': option 'scheme' is asymmetric with "
            "bits 16, which have no zero point; allowed: symmetric | leave scheme out, "
            "or set bits to 8 or 4");
  EXPECT_THAT(refusal_of("per_channel", R"({"bits": 16, "scheme": "auto"})"),
              HasSubstr("'scheme' is auto with bits 16"));
  EXPECT_THAT(refusal_of("per_channel", R"({"bits": 16, "granularity": "group"})"),
              AllOf(StartsWith("configuration: "),
                    HasSubstr("'granularity' is group with bits 16"),
                    HasSubstr("allowed: channel")));
  EXPECT_THAT(refusal_of("per_channel", R"({"bits": 16, "clip": true})"),
              AllOf(StartsWith("configuration: "),
                    HasSubstr("'clip' is true with bits 16"),
                    HasSubstr("allowed: false")));
  EXPECT_THAT(refusal_of("per_channel", R"({"bits": 16, "group_size": 32})"),
              HasSubstr("'group_size' is 32 with granularity channel"));
}

}  // namespace
}  // namespace sizewise::testing

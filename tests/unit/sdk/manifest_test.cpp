#include "sizewise/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kGood = R"({
  "id": "mlp", "kind": "model", "version": "1.0", "summary": "a multilayer perceptron",
  "size": {"name": "width", "description": "hidden width", "minimum": 4, "maximum": 64, "multipleOf": 4},
  "options": {"layers": {"type": "integer", "description": "hidden layers", "default": 2, "minimum": 1}}
})";

std::string refusal(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  try {
    (void)parse_manifest(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kPlugin);
    return error.message();
  }
  return "(no error)";
}

TEST(Manifest, ReadsEveryField) {
  const Manifest manifest = parse_manifest(kGood);
  EXPECT_EQ(manifest.id, "mlp");
  EXPECT_EQ(manifest.kind, PluginKind::kModel);
  EXPECT_EQ(manifest.size.value_or(SizeSpec{}).multiple_of, 4);
  EXPECT_EQ(manifest.options.resolve({}).get<int64_t>("layers"), 2);
}

TEST(Manifest, GivesADefaultItsDeclaredType) {
  std::string text(kGood);
  text.replace(text.find("\"integer\""), 9, "\"number\"");
  const Manifest manifest = parse_manifest(text);
  Options given;
  given.set("layers", 2.0);
  // Both determine the same trials, so they must be the same text.
  EXPECT_EQ(manifest.options.resolve({}).to_json(),
            manifest.options.resolve(given).to_json());
}

TEST(Manifest, TakesAnEnumOfIntegers) {
  const std::string text(kGood);
  const auto with = [&](std::string_view values) {
    std::string changed = text;
    const std::string_view minimum = R"("minimum": 1})";
    changed.replace(changed.find(minimum), minimum.size(), values);
    return changed;
  };
  const Manifest manifest = parse_manifest(with(R"("enum": [2, 4]})"));
  EXPECT_EQ(manifest.options.find("layers")->allowed,
            (std::vector<std::string>{"2", "4"}));
  EXPECT_THROW((void)manifest.options.parse("layers", "3"), Error);
  for (const auto* const bad :
       {R"("enum": [2, "4"]})", R"("enum": [2.5]})", R"("enum": 2})", R"("enum": []})"}) {
    EXPECT_THAT(refusal(text, R"("minimum": 1})", bad),
                HasSubstr("of integers, for options of type integer"))
        << bad;
  }
  // A default that is none of them would surface at a user.
  EXPECT_THAT(refusal(text, R"("minimum": 1})", R"("enum": [1, 4]})"),
              HasSubstr("is 2; allowed: integer, one of 1, 4"));
}

TEST(Manifest, RefusesWhatBreaksItsRules) {
  const std::string good(kGood);
  EXPECT_THAT(refusal(good, "\"mlp\"", "\"My Net\""), HasSubstr("\"id\" is 'My Net'"));
  EXPECT_THAT(refusal(good, "\"model\"", "\"modle\""),
              HasSubstr("allowed: model, dataset"));
  EXPECT_THAT(refusal(good, "\"summary\"", "\"sumary\""),
              HasSubstr("did you mean \"summary\"?"));
  EXPECT_THAT(refusal(good, "\"default\": 2", "\"default\": 0"),
              HasSubstr("is 0; allowed"));
  EXPECT_THAT(refusal(good, "\"minimum\": 4", "\"minimum\": 5"),
              HasSubstr("must be a multiple"));
  EXPECT_THAT(refusal(good, "\"kind\": \"model\"", "\"kind\": \"fit\""),
              HasSubstr("\"size\" is for models only"));
  EXPECT_THAT(refusal(good, "\"version\": \"1.0\",", "\"version\": \"1.0\""),
              HasSubstr("line 2"));
}

TEST(SizeSpec, FindsTheNearestAllowedSize) {
  const SizeSpec size{
      .name = "width", .description = "", .minimum = 4, .maximum = 64, .multiple_of = 4};
  EXPECT_EQ(size.nearest(9.9), 8);
  EXPECT_EQ(size.nearest(-3), 4);
  EXPECT_EQ(size.nearest(1e12), 64);
  EXPECT_TRUE(size.allows(12));
  EXPECT_FALSE(size.allows(13));
}

}  // namespace
}  // namespace sizewise

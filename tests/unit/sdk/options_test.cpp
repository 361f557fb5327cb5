#include "sizewise/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

using ::testing::HasSubstr;

OptionSchema schema() {
  return {"mlp",
          {{.name = "depth",
            .type = "integer",
            .item_type = "",
            .description = "hidden layers",
            .default_value = int64_t{4},
            .minimum = 1,
            .maximum = 64,
            .allowed = {},
            .required = false},
           {.name = "activation",
            .type = "string",
            .item_type = "",
            .description = "nonlinearity",
            .default_value = std::string("relu"),
            .minimum = {},
            .maximum = {},
            .allowed = {"relu", "gelu"},
            .required = false},
           {.name = "bits",
            .type = "integer",
            .item_type = "",
            .description = "of a code",
            .default_value = int64_t{8},
            .minimum = {},
            .maximum = {},
            .allowed = {"8", "4"},
            .required = false},
           {.name = "sizes",
            .type = "array",
            .item_type = "integer",
            .description = "a list",
            .default_value = {},
            .minimum = 1,
            .maximum = {},
            .allowed = {},
            .required = false}}};
}

std::string message_of(auto call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    return error.message();
  }
  return "(no error)";
}

TEST(OptionSchema, FillsInDefaults) {
  const Options options = schema().resolve(Options::from_json(R"({"depth": 7})"));
  EXPECT_EQ(options.get<int64_t>("depth"), 7);
  EXPECT_EQ(options.get<std::string>("activation"), "relu");
  EXPECT_FALSE(options.has("sizes"));
}

TEST(OptionSchema, SuggestsTheNearestNameForAnUnknownOption) {
  EXPECT_EQ(
      message_of([] {
        (void)schema().parse("dept", "4");
      }),
      "unknown option 'dept' of plugin 'mlp'; did you mean 'depth' (integer, 1 to 64, "
      "default 4)?");
}

TEST(OptionSchema, RefusesAWrongTypeNamingBoth) {
  EXPECT_THAT(
      message_of([] {
        (void)schema().parse("depth", "four");
      }),
      HasSubstr("option 'depth' of plugin 'mlp' is four; allowed: integer, 1 to 64"));
}

TEST(OptionSchema, RefusesAValueOutOfRange) {
  EXPECT_THAT(message_of([] {
                (void)schema().parse("depth", "65");
              }),
              HasSubstr("1 to 64"));
  EXPECT_THAT(message_of([] {
                (void)schema().resolve(Options::from_json(R"({"depth":0})"));
              }),
              HasSubstr("is 0; allowed"));
}

TEST(OptionSchema, RefusesATextThatIsNotAllowed) {
  EXPECT_THAT(message_of([] {
                (void)schema().parse("activation", "tanh");
              }),
              HasSubstr("one of relu, gelu"));
}

TEST(OptionSchema, RefusesAnIntegerThatIsNotAllowed) {
  EXPECT_EQ(std::get<int64_t>(schema().parse("bits", "4")), 4);
  EXPECT_EQ(schema().resolve(Options::from_json(R"({"bits": 8.0})")).get<int64_t>("bits"),
            8);
  EXPECT_EQ(message_of([] {
              (void)schema().parse("bits", "6");
            }),
            "option 'bits' of plugin 'mlp' is 6; allowed: integer, one of 8, 4, default "
            "8");
  EXPECT_THAT(message_of([] {
                (void)schema().resolve(Options::from_json(R"({"bits": 5})"));
              }),
              HasSubstr("is 5; allowed: integer, one of 8, 4"));
}

TEST(OptionSchema, ReadsListsAndScientificIntegers) {
  EXPECT_EQ(std::get<std::vector<int64_t>>(schema().parse("sizes", "8,16,1e3")),
            (std::vector<int64_t>{8, 16, 1000}));
}

TEST(Options, ReadBackExactlyFromJson) {
  Options options;
  options.set("rate", 0.1 + 0.2);
  EXPECT_EQ(Options::from_json(options.to_json()).get<double>("rate"), 0.1 + 0.2);
}

TEST(Options, TellWhatTheyHoldWhereAnotherTypeIsAsked) {
  const Options options = Options::from_json(R"({"depth": "deep"})");
  EXPECT_THAT(message_of([&] {
                (void)options.get<int64_t>("depth");
              }),
              HasSubstr("option 'depth' is \"deep\", not an integer"));
}

TEST(Options, NameLineAndColumnOfBadJson) {
  try {
    (void)Options::from_json("{\n  \"a\": }");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("line 2, column 8"));
  }
}

TEST(OptionSchema, RefusesAMissingOptionThatIsRequired) {
  const OptionSchema needy("text",
                           {{.name = "path",
                             .type = "string",
                             .item_type = "",
                             .description = "a file or a folder",
                             .default_value = {},
                             .minimum = {},
                             .maximum = {},
                             .allowed = {},
                             .required = true}});
  EXPECT_EQ(message_of([&] {
              (void)needy.resolve({});
            }),
            "plugin 'text' needs option 'path' (string, required)");
}

TEST(OptionSchema, TakesAnIntegerForANumberAndAWholeNumberForAnInteger) {
  const Options options = schema().resolve(Options::from_json(R"({"depth": 8.0})"));
  EXPECT_EQ(options.get<int64_t>("depth"), 8);
  EXPECT_THAT(message_of([] {
                (void)schema().resolve(Options::from_json(R"({"depth": 8.5})"));
              }),
              HasSubstr("is 8.5; allowed: integer"));
}

TEST(Options, RefuseJsonThatHoldsNoOptions) {
  for (const char* text : {"[1]",
                           "3",
                           R"({"a": null})",
                           R"({"a": {}})",
                           R"({"a": [1, "b"]})",
                           R"({"a": 9223372036854775808})",
                           R"({"a": [18446744073709551615]})"}) {
    try {
      (void)Options::from_json(text);
      ADD_FAILURE() << "no error for " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput) << text;
    }
  }
}

TEST(Options, SayWhichOptionIsNotSet) {
  EXPECT_EQ(message_of([] {
              (void)Options().get<bool>("shuffle");
            }),
            "option 'shuffle' is not set");
  EXPECT_EQ(Options().get_or<int64_t>("depth", 4), 4);
}

TEST(NearestWord, KnowsSynonymsThatEditDistanceMisses) {
  EXPECT_EQ(nearest_word("count_parameters", {"forward", "num_params"}), "num_params");
  EXPECT_EQ(nearest_word("zzz", {"forward", "num_params"}), "");
}

TEST(NearestWord, CountsASwapOfNeighboursAsOneEdit) {
  EXPECT_EQ(nearest_word("lits", {"show", "list"}), "list");
  EXPECT_EQ(nearest_word("modle", {"loss", "model"}), "model");
  EXPECT_EQ(nearest_word("ab", {"cd"}), "");
}

}  // namespace
}  // namespace sizewise

#include "tables/json_values.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sizewise::tables {
namespace {

std::string fault_of(const char* text) {
  try {
    static_cast<void>(nlohmann::json::parse(text).at("loss").get<double>());
  } catch (const nlohmann::json::exception& fault) {
    return json_fault(fault);
  }
  return "none";
}

TEST(JsonValues, NumbersThatAreNoneAreNull) {
  EXPECT_EQ(number_or_null(2.5).dump(), "2.5");
  EXPECT_EQ(number_or_null(NAN).dump(), "null");
  EXPECT_EQ(number_or_null(INFINITY).dump(), "null");
  const nlohmann::json object = {{"one", 1}, {"text", "1"}, {"null", nullptr}};
  EXPECT_EQ(number_or_nan(object, "one"), 1);
  for (const char* name : {"text", "null", "absent"}) {
    EXPECT_TRUE(std::isnan(number_or_nan(object, name))) << name;
  }
}

TEST(JsonText, PutsAListOfPlainValuesOnOneLine) {
  const nlohmann::json value = {{"draws", {{1, 2.5}, {nullptr, "a\"b"}}},
                                {"empty", nlohmann::json::array()},
                                {"rows", {{{"n", 1}}}}};
  EXPECT_EQ(json_text(value), R"({
  "draws": [
    [1, 2.5],
    [null, "a\"b"]
  ],
  "empty": [],
  "rows": [
    {
      "n": 1
    }
  ]
})");
  EXPECT_EQ(nlohmann::json::parse(json_text(value)), value);
  EXPECT_EQ(json_text("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(JsonFault, IsSaidInPlainWords) {
  EXPECT_EQ(
      fault_of("{\n \"loss\": "),
      "line 2, column 10: unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(fault_of("{}"), "key 'loss' not found");
  EXPECT_EQ(fault_of(R"({"loss": "x"})"), "type must be number, but is string");
  try {
    static_cast<void>(nlohmann::json::array().at("loss"));
    ADD_FAILURE() << "an array has a name";
  } catch (const nlohmann::json::exception& fault) {
    EXPECT_EQ(json_fault(fault), "a value in it is of another type than it should be");
  }
}

}  // namespace
}  // namespace sizewise::tables

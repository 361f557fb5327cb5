#include "tables/json_fault.hpp"

#include <gtest/gtest.h>

namespace sizewise {
namespace {

std::string fault_of(const char* text) {
  try {
    static_cast<void>(nlohmann::json::parse(text).at("loss").get<double>());
  } catch (const nlohmann::json::exception& fault) {
    return json_fault(fault);
  }
  return "none";
}

TEST(JsonFault, IsSaidInPlainWords) {
  EXPECT_EQ(
      fault_of("{\n \"loss\": "),
      "line 2, column 10: unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(fault_of("{}"), "key 'loss' not found");
  EXPECT_EQ(fault_of(R"({"loss": "x"})"), "type must be number, but is string");
}

}  // namespace
}  // namespace sizewise

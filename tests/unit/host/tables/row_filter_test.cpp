#include "tables/row_filter.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunTable table() {
  RunTable runs;
  runs.add_numbers("flops", {1, 2, 3, std::numeric_limits<double>::quiet_NaN()});
  runs.add_texts("name", {"a", "b", "", "a"});
  return runs;
}

std::vector<bool> kept(std::string_view condition) {
  return rows_kept(table(), parse_row_filter(condition));
}

TEST(RowFilter, ComparesNumbers) {
  EXPECT_THAT(kept("flops=2"), ElementsAre(false, true, false, false));
  EXPECT_THAT(kept("flops != 2"), ElementsAre(true, false, true, true));
  EXPECT_THAT(kept("flops<2e0"), ElementsAre(true, false, false, false));
  EXPECT_THAT(kept("flops<=2"), ElementsAre(true, true, false, false));
  EXPECT_THAT(kept("flops>2"), ElementsAre(false, false, true, false));
  EXPECT_THAT(kept("flops>=2"), ElementsAre(false, true, true, false));
}

TEST(RowFilter, ComparesTexts) {
  EXPECT_THAT(kept("name=a"), ElementsAre(true, false, false, true));
  EXPECT_THAT(kept("name!=a"), ElementsAre(false, true, true, false));
  EXPECT_THAT(kept("name="), ElementsAre(false, false, true, false));
}

TEST(RowFilter, SaysItsConditionAgain) {
  EXPECT_EQ(parse_row_filter(" flops <= 1e21 ").text(), "flops<=1e21");
  EXPECT_EQ(parse_row_filter("name=a=b").value, "a=b");
}

TEST(RowFilter, RefusesWhatCannotBeCompared) {
  EXPECT_THROW((void)parse_row_filter("flops"), Error);
  EXPECT_THROW((void)parse_row_filter("=1"), Error);
  EXPECT_THROW((void)parse_row_filter("!flops"), Error);
  EXPECT_THROW((void)kept("flops=many"), Error);
  EXPECT_THROW((void)kept("name<b"), Error);
  try {
    (void)kept("flop=1");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("flops, name"));
  }
}

}  // namespace
}  // namespace sizewise::tables

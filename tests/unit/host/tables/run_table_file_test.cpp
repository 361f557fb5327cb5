#include "tables/run_table_file.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::tables {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunTable parse(std::string_view text, const ColumnNames& names = {}) {
  return parse_run_table(text, "runs.csv", names).runs;
}

std::string message_of(std::string_view text, const ColumnNames& names = {}) {
  try {
    (void)parse_run_table(text, "runs.csv", names);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.message();
  }
  return "no error";
}

TEST(RunTableFile, ReadsNumbersAndTexts) {
  const RunTable runs =
      parse("params,tokens,loss,name,status\n1e6,2E+7,3.25,a b,done\n+2,3,,c,failed\n");
  EXPECT_THAT(runs.columns(), ElementsAre("params", "tokens", "loss", "name", "status"));
  EXPECT_THAT(runs.params(), ElementsAre(1e6, 2));
  EXPECT_THAT(runs.tokens(), ElementsAre(2e7, 3));
  EXPECT_EQ(runs.loss()[0], 3.25);
  EXPECT_TRUE(std::isnan(runs.loss()[1]));
  EXPECT_THAT(runs.texts("name"), ElementsAre("a b", "c"));
}

TEST(RunTableFile, ReadsQuotedCellsOfSeveralLinesAndKeepsLineNumbers) {
  const RunTableFile file =
      parse_run_table("name,params\n\"a,\"\"b\"\"\nc\",1\n\n \"d\" ,2\n", "x");
  EXPECT_THAT(file.runs.texts("name"), ElementsAre("a,\"b\"\nc", "d"));
  EXPECT_THAT(file.runs.params(), ElementsAre(1, 2));
  EXPECT_THAT(file.lines, ElementsAre(2, 5));
}

TEST(RunTableFile, ReadsCarriageReturnsAndByteOrderMark) {
  const RunTable runs = parse("\xEF\xBB\xBFparams,loss\r\n1,2\r\n3,4");
  EXPECT_THAT(runs.params(), ElementsAre(1, 3));
  EXPECT_THAT(runs.loss(), ElementsAre(2, 4));
  EXPECT_THAT(parse("params,loss\r1,2\r3,4\r").params(), ElementsAre(1, 3));
}

TEST(RunTableFile, ReadsAHeaderAlone) {
  const RunTable runs = parse("params,tokens,loss\n");
  EXPECT_TRUE(runs.empty());
  EXPECT_TRUE(runs.has_numbers("loss"));
}

TEST(RunTableFile, KeepsTextsAsWrittenWhereTheyFollowNumbers) {
  const RunTable runs = parse("params,id\n1,007\n2,1.0\n3,x\n");
  EXPECT_THAT(runs.texts("id"), ElementsAre("007", "1.0", "x"));
  EXPECT_THAT(runs.params(), ElementsAre(1, 2, 3));
}

TEST(RunTableFile, ReadsRunIdsAsTexts) {
  EXPECT_THAT(parse("run_id,params\n01,1\n2,2\n").texts("run_id"),
              ElementsAre("01", "2"));
}

TEST(RunTableFile, ReadsNotANumberAsSuch) {
  const RunTable runs = parse("params,loss\n1,nan\n2,inf\n");
  EXPECT_TRUE(std::isnan(runs.loss()[0]));
  EXPECT_TRUE(std::isinf(runs.loss()[1]));
}

TEST(RunTableFile, MapsColumnsAndDropsWhatTheyShadow) {
  const RunTable runs = parse("params,N\n1,10\n", parse_column_names("params=N"));
  EXPECT_THAT(runs.params(), ElementsAre(10));
  EXPECT_THAT(runs.columns(), ElementsAre("params"));
  EXPECT_THAT(message_of("N,D\n1,2\n", parse_column_names("params=n")),
              AllOf(HasSubstr("no column 'n'"), HasSubstr("N, D")));
}

TEST(RunTableFile, SaysWhereATextStandsAmongNumbers) {
  EXPECT_THAT(message_of("params,loss\n1,2\n3,high\n"),
              AllOf(HasSubstr("runs.csv, line 3"),
                    HasSubstr("column 'loss'"),
                    HasSubstr("'high' is not a number")));
  EXPECT_THAT(message_of("params,loss\n1,1e999\n"), HasSubstr("'1e999' is not a number"));
}

TEST(RunTableFile, SaysWhereARowIsTooShortOrTooLong) {
  EXPECT_THAT(message_of("params,loss\n1,2\n3\n"),
              HasSubstr("line 3: the row has 1 cells, the header 2"));
  EXPECT_THAT(message_of("params,loss\n1,2,3\n"),
              HasSubstr("line 2: the row has 3 cells, the header 2"));
}

TEST(RunTableFile, RefusesWhatIsNoTable) {
  EXPECT_THAT(message_of(""), HasSubstr("empty"));
  EXPECT_THAT(message_of(" \n\r\n"), HasSubstr("empty"));
  EXPECT_THAT(message_of("params,params\n1,2\n"), HasSubstr("both called 'params'"));
  EXPECT_THAT(message_of("params,a\n1,\"2\n3,4\n"),
              HasSubstr("line 2: a quoted cell begins and does not end"));
  EXPECT_THAT(message_of("params,a\n1,\"2\"3\n"), HasSubstr("line 2: text follows"));
  EXPECT_THAT(message_of(std::string_view("PK\x03\x04\0", 5)), HasSubstr("no CSV file"));
  EXPECT_THAT(message_of("[{\"params\": 1}]"), HasSubstr("one JSON array"));
}

TEST(RunTableFile, ReadsJsonLines) {
  const RunTable runs = parse(
      "{\"params\": 1e6, \"loss\": 2, \"note\": \"x\", \"deep\": {\"loss\": 9}}\n\n"
      "{\"loss\": null, \"params\": \"3\", \"seed\": 7, \"ok\": true}\n");
  EXPECT_THAT(runs.params(), ElementsAre(1e6, 3));
  EXPECT_EQ(runs.loss()[0], 2);
  EXPECT_TRUE(std::isnan(runs.loss()[1]));
  EXPECT_THAT(runs.texts("note"), ElementsAre("x", ""));
  EXPECT_TRUE(std::isnan(runs.numbers("seed")[0]));
  EXPECT_EQ(runs.numbers("seed")[1], 7);
  EXPECT_FALSE(runs.has_numbers("deep"));
  EXPECT_THAT(parse("{\"N\": 5, \"params\": 1}", parse_column_names("params=N")).params(),
              ElementsAre(5));
}

TEST(RunTableFile, SaysWhereJsonIsWrong) {
  EXPECT_THAT(message_of("{\"params\": 1}\n{\"params\": }\n"),
              HasSubstr("line 2: this is no JSON object"));
  EXPECT_THAT(message_of("{\"params\": 1}\n[1]\n"), HasSubstr("line 2"));
  EXPECT_THAT(message_of("{\"params\": 1}\n{\"params\": \"big\"}\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("'big' is not a number")));
  EXPECT_THAT(message_of("{\"a\": 1}\n{\"a\": \"b\"}\n"),
              HasSubstr("'a' is a text here and a number above"));
  EXPECT_THAT(message_of("{\"a\": 1, \"a\": 2}\n"), HasSubstr("two fields 'a'"));
  EXPECT_THAT(message_of("{\"a\": 1}\n", parse_column_names("params=N")),
              HasSubstr("no line has a field 'N'"));
}

TEST(RunTableFile, RefusesAFolderAndAMissingFile) {
  for (const std::filesystem::path& path :
       {std::filesystem::temp_directory_path(), std::filesystem::path("no/such/file")}) {
    try {
      (void)read_run_table(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_THAT(error.message(), HasSubstr(path.string()));
    }
  }
}

TEST(RunTableFile, WritesWhatReadsBackExactly) {
  RunTable runs;
  runs.add_numbers("params",
                   {0.1, 1e300, 1.0 / 3.0, std::numeric_limits<double>::quiet_NaN()});
  runs.add_texts("status", {"done", "a,b", "say \"x\"", "two\nlines"});
  const RunTable again = parse(write_run_table(runs));
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(again.params()[row], runs.params()[row]);
  }
  EXPECT_TRUE(std::isnan(again.params()[3]));
  EXPECT_THAT(again.texts("status"),
              ElementsAre("done", "a,b", "say \"x\"", "two\nlines"));
}

TEST(ColumnNames, RefuseWhatIsNoPair) {
  EXPECT_THAT(
      parse_column_names("params=N,tokens=D"),
      ElementsAre(::testing::Pair("params", "N"), ::testing::Pair("tokens", "D")));
  for (const char* text : {"", "params", "=N", "params=", "params=N,", "a=b,a=c"}) {
    EXPECT_THROW((void)parse_column_names(text), Error) << text;
  }
}

TEST(WriteRunTable, KeepsARowOfNothing) {
  RunTable runs;
  runs.add_texts("name", {"a", "", "b"});
  EXPECT_EQ(parse_run_table(write_run_table(runs), "written").runs.rows(), 3U);
}

TEST(WriteRunTable, QuotesWhatAReaderWouldTrim) {
  RunTable runs;
  runs.add_texts(" name", {"x ", "y"});
  const RunTable again = parse_run_table(write_run_table(runs), "output").runs;
  ASSERT_TRUE(again.has_texts(" name"));
  EXPECT_EQ(again.texts(" name")[0], "x ");
}

}  // namespace
}  // namespace sizewise::tables

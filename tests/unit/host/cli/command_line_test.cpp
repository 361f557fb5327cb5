#include "command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

#include "captured.hpp"

namespace sizewise::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandLine fit_line() {
  CommandLine line("sizewise fit TABLE --fit ID [flags]", "Fits a law to a table.");
  line.positional("the table", 1, 1)
      .plugin(PluginKind::kFit)
      .values("where", "RULE", "keep these rows")
      .values("budgets", "LIST", "budgets")
      .value("sizes", "LIST", "sizes")
      .value("seed", "SEED", "of the bootstrap");
  return line;
}

CommandLine parsed(const Arguments& arguments) {
  CapturedStream out;
  CapturedStream err;
  Console console(out.file(), err.file());
  CommandLine line = fit_line();
  EXPECT_TRUE(line.parse(arguments, console));
  return line;
}

Error refusal(const Arguments& arguments) {
  CapturedStream out;
  CapturedStream err;
  Console console(out.file(), err.file());
  CommandLine line = fit_line();
  try {
    (void)line.parse(arguments, console);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorCode::kInternal, ""};
}

TEST(CommandLine, ReadsFlagsAndWordsInAnyOrder) {
  const CommandLine line = parsed({"--fit",
                                   "approach3",
                                   "runs.csv",
                                   "--where=a=1",
                                   "--json",
                                   "--where",
                                   "b<2",
                                   "--fit-option",
                                   "k=v"});
  EXPECT_THAT(line.words(), ElementsAre("runs.csv"));
  EXPECT_EQ(line.text_or("fit", ""), "approach3");
  EXPECT_THAT(line.texts("where"), ElementsAre("a=1", "b<2"));
  EXPECT_THAT(line.texts("fit-option"), ElementsAre("k=v"));
  EXPECT_TRUE(line.json());
  EXPECT_FALSE(line.has("seed"));
  EXPECT_EQ(line.integer_or("seed", 7), 7);
}

TEST(CommandLine, ReadsNumbersWithTheirRange) {
  const CommandLine line =
      parsed({"t", "--seed", "1e3", "--budgets", "1,2", "--budgets", "4"});
  EXPECT_EQ(line.integer_or("seed", 0), 1000);
  EXPECT_EQ(line.number_or("seed", 0), 1000.0);
  EXPECT_THAT(line.positive_list("budgets"), ElementsAre(1, 2, 4));
  EXPECT_THROW((void)line.integer_or("seed", 0, 0, 10), Error);
  EXPECT_THROW((void)parsed({"t", "--seed", "-1"}).integer_or("seed", 0), Error);
}

TEST(CommandLine, SuggestsTheNearestFlag) {
  const Error error = refusal({"t", "--see", "1"});
  EXPECT_EQ(error.message(), "unknown flag '--see'; did you mean '--seed'?");
  EXPECT_THAT(error.suggestion(), HasSubstr("sizewise fit TABLE --fit ID [flags]"));
  EXPECT_EQ(refusal({"t", "--zzzzzz"}).message(), "unknown flag '--zzzzzz'");
}

TEST(CommandLine, GuessesNoPrefix) {
  EXPECT_EQ(refusal({"t", "--size", "8"}).message(),
            "unknown flag '--size'; did you mean '--sizes'?");
  EXPECT_EQ(refusal({"t", "--js"}).message(), "unknown flag '--js'");
}

TEST(CommandLine, RefusesOneDash) {
  EXPECT_EQ(refusal({"t", "-seed", "1"}).message(),
            "unknown flag '-seed'; did you mean '--seed'?");
  EXPECT_THAT(refusal({"t", "-h"}).message(), HasSubstr("unknown flag '-h'"));
}

TEST(CommandLine, RefusesAFlagWithoutItsValueOrWithOneTooMany) {
  EXPECT_EQ(refusal({"t", "--seed"}).message(), "--seed needs a value: --seed SEED");
  EXPECT_EQ(refusal({"t", "--json=yes"}).message(), "--json takes no value");
  EXPECT_EQ(refusal({"t", "--seed", "1", "--seed", "2"}).message(),
            "--seed is given 2 times; it takes one value");
}

TEST(CommandLine, RefusesTooFewOrTooManyWords) {
  EXPECT_EQ(refusal({}).message(), "the table is missing");
  EXPECT_EQ(refusal({"a", "b"}).message(), "unexpected argument 'b'");
}

TEST(CommandLine, TakesAValueThatIsNegative) {
  EXPECT_EQ(parsed({"--seed", "-1", "t"}).text_or("seed", ""), "-1");
}

TEST(CommandLine, PrintsItsHelpAndDoesNothingMore) {
  CapturedStream out;
  CapturedStream err;
  Console console(out.file(), err.file());
  CommandLine line = fit_line();
  EXPECT_FALSE(line.parse({"--help"}, console));
  EXPECT_THAT(out.text(),
              AllOf(HasSubstr("Usage: sizewise fit TABLE --fit ID [flags]"),
                    HasSubstr("--fit-option KEY=VALUE"),
                    HasSubstr("--plugin-dir DIR"),
                    HasSubstr("Fits a law to a table.")));
  EXPECT_EQ(err.text(), "");
}

TEST(CommandLine, SilencesTheConsole) {
  CapturedStream out;
  CapturedStream err;
  Console console(out.file(), err.file());
  CommandLine line = fit_line();
  EXPECT_TRUE(line.parse({"t", "--quiet"}, console));
  console.say("progress");
  console.warn("this matters");
  console.result("answer\n");
  EXPECT_EQ(out.text(), "answer\n");
  EXPECT_EQ(err.text(), "sizewise: warning: this matters\n");
}

}  // namespace
}  // namespace sizewise::cli

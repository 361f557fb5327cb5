#include "program.hpp"

#include <array>
#include <cstdio>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "captured.hpp"

namespace sizewise::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// Runs a shell line with both streams together.
Ran shell(const std::string& line) {
  Ran ran;
  std::FILE* const pipe = ::popen(("{ " + line + "; } 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(buffer.data(), 1, buffer.size(), pipe);
    ran.out.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

TEST(Program, PrintsItsVersionAndHelpOnStandardOutput) {
  EXPECT_THAT(run({"--version"}).out,
              MatchesRegex("sizewise [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  const Ran help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Usage: sizewise COMMAND"), HasSubstr("plugin")));
  EXPECT_EQ(help.err, "");
}

TEST(Program, ExplainsEveryCommandWithinEightyColumns) {
  for (const char* command : {"evaluate",
                              "find-optimal",
                              "fit",
                              "plan",
                              "plugin",
                              "predict",
                              "quantize",
                              "report",
                              "run",
                              "train"}) {
    const Ran ran = run({command, "--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, StartsWith("Usage: sizewise " + std::string(command)));
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(Program, RefusesArgumentsThatAreNotUtf8) {
  const Ran ran = run({"report", "caf\xe9"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("is not UTF-8"));
}

TEST(Program, SuggestsTheNearestCommand) {
  const Ran ran = run({"plugni"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(
      ran.err,
      AllOf(
          StartsWith("sizewise: error: unknown command 'plugni'; did you mean 'plugin'?"),
          HasSubstr("\n  commands: ")));
  EXPECT_EQ(run({}).code, 2);
}

TEST(Program, GivesErrorsAsJsonToo) {
  const Ran ran = run({"plugin", "show", "nothing_of_that_name", "--json"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("nothing_of_that_name"));
  const auto error = nlohmann::json::parse(ran.out).at("error");
  EXPECT_EQ(error.at("code"), "configuration");
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("nothing_of_that_name"));
  EXPECT_TRUE(error.contains("suggestion"));
}

TEST(Program, SaysWhereStandardOutputIsFull) {
  const Ran ran = shell(SIZEWISE_PROGRAM " --help >/dev/full");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("standard output cannot be written: No space left"));
}

TEST(Program, MapsNoLibTorch) {
  // The loader names every file that it maps, plugins included.
  for (const std::string& arguments :
       {std::string("--version"), std::string("plugin list"), std::string("--help")}) {
    const Ran ran = shell("LD_DEBUG=files " SIZEWISE_PROGRAM " " + arguments);
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr("libsizewise_host.so"));
    EXPECT_THAT(ran.out, AllOf(Not(HasSubstr("libtorch")), Not(HasSubstr("libc10"))));
  }
}

TEST(Program, LoadsNoPluginToListOrShowIt) {
  const Ran ran = shell("LD_DEBUG=files " SIZEWISE_PROGRAM
                        " plugin show good_fit --plugin-dir " SIZEWISE_TEST_PLUGINS);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("coefficient"), Not(HasSubstr("good_fit.so [0]"))));
}

}  // namespace
}  // namespace sizewise::cli

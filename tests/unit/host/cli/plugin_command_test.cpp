#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "captured.hpp"
#include "files.hpp"

namespace sizewise::cli {
namespace {

using loading::test_plugin;
using loading::write_bytes;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

class PluginCommandTest : public loading::ScratchFolder {
 protected:
  Ran plugin(Arguments arguments) {
    arguments.insert(arguments.begin(), "plugin");
    arguments.insert(arguments.end(), {"--plugin-dir", folder().string()});
    return run(arguments);
  }
};

TEST_F(PluginCommandTest, ListsPluginsAndRefusedFilesIn80Columns) {
  copy_plugin("good_fit", "good_fit.so");
  write_bytes(folder() / "bad.so", "no library");
  const Ran ran = plugin({"list"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("good_fit"),
                    HasSubstr("1.2.0"),
                    HasSubstr("a plugin that the tests of loading use"),
                    HasSubstr("E_NOT_ELF: it is no ELF shared object")));
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST_F(PluginCommandTest, ListsAsJson) {
  copy_plugin("good_fit", "good_fit.so");
  write_bytes(folder() / "bad.so", "no library");
  const json listed = json::parse(plugin({"list", "--json"}).out);
  bool found = false;
  for (const json& entry : listed.at("plugins")) {
    found = found || (entry.at("id") == "good_fit" && entry.at("kind") == "fit");
  }
  EXPECT_TRUE(found);
  ASSERT_EQ(listed.at("refused").size(), 1U);
  EXPECT_EQ(listed["refused"][0].at("code"), "E_NOT_ELF");
  EXPECT_EQ(listed["refused"][0].at("path"), (folder() / "bad.so").string());
}

TEST_F(PluginCommandTest, ShowsEveryOption) {
  copy_plugin("good_fit", "good_fit.so");
  const Ran ran = plugin({"show", "good_fit"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("good_fit 1.2.0, a fit plugin"),
                    HasSubstr("coefficient (number, at least 0, default 2.5)"),
                    HasSubstr("one of none, create, error, exception, other"),
                    Not(HasSubstr("Size:"))));
  const json shown = json::parse(plugin({"show", "good_fit", "--json"}).out);
  EXPECT_EQ(shown.at("options").at("coefficient").at("default"), 2.5);
  EXPECT_TRUE(shown.at("size").is_null());
}

TEST_F(PluginCommandTest, ShowsAFileByItsPath) {
  EXPECT_THAT(plugin({"show", test_plugin("plain_c").string()}).out,
              HasSubstr("plain_c 1.2.0"));
}

TEST_F(PluginCommandTest, RefusesWhatItDoesNotKnow) {
  copy_plugin("good_fit", "good_fit.so");
  EXPECT_EQ(plugin({"show", "god_fit"}).code, 2);
  EXPECT_THAT(plugin({"show", "god_fit"}).err, HasSubstr("did you mean 'good_fit'?"));
  EXPECT_THAT(plugin({"lits"}).err, HasSubstr("did you mean 'list'?"));
  EXPECT_THAT(run({"plugin"}).err, HasSubstr("needs a word"));
  EXPECT_EQ(run({"plugin", "list", "--plugin-dir", "/no/such/folder"}).code, 2);
}

}  // namespace
}  // namespace sizewise::cli

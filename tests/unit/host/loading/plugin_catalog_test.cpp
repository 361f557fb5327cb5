#include "loading/plugin_catalog.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "files.hpp"

namespace sizewise::loading {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PluginCatalogTest : public ScratchFolder {
 protected:
  [[nodiscard]] PluginCatalog scan() const { return PluginCatalog::scan({{folder()}}); }
};

std::vector<std::string> ids(const PluginCatalog& catalog) {
  std::vector<std::string> found;
  for (const PluginFile& plugin : catalog.plugins()) {
    found.push_back(plugin.manifest.id);
  }
  return found;
}

std::vector<std::string> refusals(const PluginCatalog& catalog) {
  std::vector<std::string> found;
  for (const RefusedFile& refusal : catalog.refused()) {
    found.push_back(refusal.path.filename().string() + " " + refusal.code);
  }
  return found;
}

TEST_F(PluginCatalogTest, ListsGoodPluginsBesideBadFiles) {
  copy_plugin("plain_c", "b.so");
  copy_plugin("good_fit", "z.so");
  write_bytes(folder() / "a.so", "a script\n");
  write_bytes(folder() / "notes.txt", "not a candidate\n");
  const PluginCatalog catalog = scan();
  EXPECT_THAT(ids(catalog), ElementsAre("good_fit", "plain_c"));
  EXPECT_THAT(refusals(catalog), ElementsAre("a.so E_NOT_ELF"));
  EXPECT_THAT(catalog.refused().front().message,
              AllOf(HasSubstr("begins with 'a script.'"),
                    ::testing::Not(HasSubstr(folder().string()))));
}

TEST_F(PluginCatalogTest, RefusesBothFilesThatClaimAnId) {
  copy_plugin("good_fit", "one.so");
  copy_plugin("good_fit", "two.so");
  copy_plugin("plain_c", "other.so");
  const PluginCatalog catalog = scan();
  EXPECT_THAT(ids(catalog), ElementsAre("plain_c"));
  EXPECT_THAT(refusals(catalog),
              ElementsAre("one.so E_DUPLICATE_ID", "two.so E_DUPLICATE_ID"));
  EXPECT_THAT(catalog.refused()[0].message, HasSubstr("two.so"));
  EXPECT_THAT(catalog.refused()[1].message, HasSubstr("one.so"));
  const Error error = error_of([&] {
    (void)catalog.find(PluginKind::kFit, "good_fit");
  });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("one.so"), HasSubstr("two.so")));
}

TEST_F(PluginCatalogTest, RefusesAnIdThatTwoFoldersClaim) {
  copy_plugin("good_fit", "first/good.so");
  copy_plugin("good_fit", "second/good.so");
  const PluginCatalog catalog =
      PluginCatalog::scan({{folder() / "first", folder() / "second"}});
  EXPECT_THAT(catalog.plugins(), IsEmpty());
  EXPECT_EQ(catalog.refused().size(), 2U);
}

TEST_F(PluginCatalogTest, TakesOneFileWithTwoNamesOnce) {
  const fs::path good = copy_plugin("good_fit", "good.so");
  fs::create_hard_link(good, folder() / "same.so");
  fs::create_symlink("good.so", folder() / "alias.so");
  const PluginCatalog catalog = PluginCatalog::scan({{folder(), folder()}});
  EXPECT_THAT(ids(catalog), ElementsAre("good_fit"));
  EXPECT_THAT(catalog.refused(), IsEmpty());
}

TEST_F(PluginCatalogTest, RefusesALinkThatLeavesItsFolder) {
  const fs::path outside = copy_plugin("good_fit", "outside/good.so");
  fs::create_directory(folder() / "inside");
  fs::create_symlink(outside, folder() / "inside" / "link.so");
  fs::create_symlink("nowhere.so", folder() / "inside" / "dangling.so");
  const PluginCatalog catalog = PluginCatalog::scan({{folder() / "inside"}});
  EXPECT_THAT(catalog.plugins(), IsEmpty());
  EXPECT_THAT(refusals(catalog), ElementsAre("dangling.so E_OPEN", "link.so E_SYMLINK"));
}

TEST_F(PluginCatalogTest, RefusesAFolderThatEveryUserMayWrite) {
  copy_plugin("good_fit", "good.so");
  ASSERT_EQ(::chmod(folder().c_str(), 0777), 0);
  const PluginCatalog catalog = scan();
  EXPECT_THAT(catalog.plugins(), IsEmpty());
  ASSERT_EQ(catalog.refused().size(), 1U);
  EXPECT_EQ(catalog.refused()[0].code, "E_WRITABLE");
  EXPECT_THAT(catalog.refused()[0].suggestion,
              HasSubstr("chmod o-w '" + folder().string() + "'"));
}

TEST_F(PluginCatalogTest, SuggestsTheNearestIdAndListsAll) {
  copy_plugin("good_fit", "good_fit.so");
  copy_plugin("plain_c", "plain_c.so");
  const Error error = error_of([&] {
    (void)scan().find(PluginKind::kFit, "god_fit");
  });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(error.message(),
            "there is no fit plugin 'god_fit'; did you mean 'good_fit'?");
  EXPECT_THAT(error.suggestion(), HasSubstr("good_fit, plain_c"));
}

TEST_F(PluginCatalogTest, SaysWhereItLookedWhenThereIsNoPluginOfTheKind) {
  const Error error = error_of([&] {
    (void)scan().find(PluginKind::kModel, "mlp");
  });
  EXPECT_THAT(error.suggestion(), HasSubstr(folder().string()));
}

TEST_F(PluginCatalogTest, SaysWhyTheFileOfThatNameIsRefused) {
  write_bytes(folder() / "mlp.so", "half a download");
  const Error error = error_of([&] {
    (void)scan().find(PluginKind::kModel, "mlp");
  });
  EXPECT_THAT(error.message(), AllOf(HasSubstr("mlp.so"), HasSubstr("E_NOT_ELF")));
}

TEST_F(PluginCatalogTest, RefusesAPluginOfAnotherKind) {
  const fs::path good = copy_plugin("good_fit", "good.so");
  for (const std::string& name : {std::string("good_fit"), good.string()}) {
    const Error error = error_of([&] {
      (void)scan().find(PluginKind::kModel, name);
    });
    EXPECT_EQ(error.message(),
              "'good_fit' is a fit plugin; a model plugin is needed here");
  }
}

TEST_F(PluginCatalogTest, FindsAFileByItsPath) {
  const fs::path good = copy_plugin("good_fit", "elsewhere/renamed.so");
  const PluginCatalog nothing = PluginCatalog::scan({});
  EXPECT_EQ(nothing.find(PluginKind::kFit, good.string()).manifest.id, "good_fit");
  EXPECT_EQ(nothing.find(good.string()).path, fs::canonical(good));
  EXPECT_EQ(error_of([&] {
              (void)nothing.find("absent.so");
            }).code(),
            ErrorCode::kPlugin);
}

TEST_F(PluginCatalogTest, LooksInTheFourPlacesInOrder) {
  const std::string variable =
      (folder() / "x").string() + "::" + (folder() / "y").string();
  ASSERT_EQ(::setenv("SIZEWISE_PLUGIN_PATH", variable.c_str(), 1), 0);
  const SearchPath search_path = default_search_path({folder()});
  ASSERT_EQ(::unsetenv("SIZEWISE_PLUGIN_PATH"), 0);
  // The tests' program and the library have the same plugins folder, which counts once.
  ASSERT_EQ(search_path.folders.size(), 4U);
  EXPECT_EQ(search_path.folders[0], folder());
  EXPECT_EQ(search_path.folders[1], folder() / "x");
  EXPECT_EQ(search_path.folders[2], folder() / "y");
  const fs::path program = fs::read_symlink("/proc/self/exe");
  EXPECT_EQ(search_path.folders[3],
            program.parent_path().parent_path() / "lib/sizewise/plugins");
  EXPECT_EQ(search_path.folders[3],
            fs::path(SIZEWISE_SDK_LIBRARY).parent_path() / "sizewise/plugins");
}

TEST_F(PluginCatalogTest, RefusesAFolderThatWasNamedAndIsNotThere) {
  const Error error = error_of([&] {
    (void)default_search_path({folder() / "none"});
  });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.message(), HasSubstr((folder() / "none").string()));
}

}  // namespace
}  // namespace sizewise::loading

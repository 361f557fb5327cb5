#include <cstdlib>
#include <filesystem>
#include <string>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sizewise/build_tag.hpp"

#include "files.hpp"
#include "loading/plugin_catalog.hpp"

namespace sizewise::loading {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PluginFileTest : public ScratchFolder {
 protected:
  static Error refusal(const fs::path& path) {
    return error_of([&] {
      (void)inspect_plugin(path);
    });
  }

  Error refusal_of_bytes(std::string_view bytes) {
    write_bytes(folder() / "bad.so", bytes);
    return refusal(folder() / "bad.so");
  }
};

TEST_F(PluginFileTest, IsReadWithoutLoadingIt) {
  const fs::path path = copy_plugin("good_fit", "copy.so");
  const PluginFile plugin = inspect_plugin(path);
  EXPECT_EQ(plugin.path, fs::canonical(path));
  EXPECT_EQ(plugin.manifest.id, "good_fit");
  EXPECT_EQ(plugin.manifest.kind, PluginKind::kFit);
  EXPECT_EQ(plugin.build_tag, SIZEWISE_BUILD_TAG);
  EXPECT_THAT(bytes_of("/proc/self/maps"), ::testing::Not(HasSubstr("copy.so")));
}

TEST_F(PluginFileTest, KeepsItsNoteThroughStripAndSectionCollection) {
  EXPECT_EQ(inspect_plugin(test_plugin("good_fit_collected")).manifest.id,
            "good_fit_collected");
  const fs::path path = copy_plugin("good_fit_collected", "stripped.so");
  ASSERT_EQ(std::system(("strip --strip-all '" + path.string() + "'").c_str()), 0);
  ASSERT_LT(fs::file_size(path), fs::file_size(test_plugin("good_fit_collected")));
  EXPECT_EQ(inspect_plugin(path).manifest.id, "good_fit_collected");
  EXPECT_EQ(inspect_plugin(path).build_tag, SIZEWISE_BUILD_TAG);
}

TEST_F(PluginFileTest, NamesTheFileAndTheReason) {
  const Error error = refusal_of_bytes("not a library\n");
  EXPECT_EQ(error.code(), ErrorCode::kPlugin);
  EXPECT_THAT(error.message(),
              AllOf(StartsWith("E_NOT_ELF: " + (folder() / "bad.so").string()),
                    HasSubstr("begins with 'not a librar'")));
  EXPECT_THAT(error.suggestion(), HasSubstr("sizewise_add_plugin()"));
}

TEST_F(PluginFileTest, IsRefusedWhereThereIsNone) {
  EXPECT_THAT(refusal(folder() / "none.so").message(),
              AllOf(StartsWith("E_OPEN"), HasSubstr("No such file")));
}

TEST_F(PluginFileTest, IsRefusedWhereItIsNoRegularFile) {
  ASSERT_EQ(::mkfifo((folder() / "pipe.so").c_str(), 0600), 0);
  EXPECT_THAT(refusal(folder() / "pipe.so").message(), StartsWith("E_NOT_REGULAR"));
  fs::create_directory(folder() / "folder.so");
  EXPECT_THAT(refusal(folder() / "folder.so").message(),
              AllOf(StartsWith("E_NOT_REGULAR"), HasSubstr("it is a folder")));
}

TEST_F(PluginFileTest, IsRefusedWhereEveryUserMayWriteItOrItsFolder) {
  const fs::path path = copy_plugin("good_fit", "open.so");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  EXPECT_THAT(refusal(path).message(), StartsWith("E_WRITABLE"));
  EXPECT_EQ(refusal(path).suggestion(), "run `chmod o-w '" + path.string() + "'`");
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  ASSERT_EQ(::chmod(folder().c_str(), 0777), 0);
  EXPECT_THAT(refusal(path).message(), StartsWith("E_WRITABLE"));
  EXPECT_EQ(refusal(path).suggestion(), "run `chmod o-w '" + folder().string() + "'`");
}

TEST_F(PluginFileTest, IsRefusedWhereItHasNoNote) {
  EXPECT_THAT(refusal(SIZEWISE_SDK_LIBRARY).message(),
              AllOf(StartsWith("E_NO_METADATA"), HasSubstr("holds no manifest")));
}

TEST_F(PluginFileTest, IsRefusedWhereItsManifestIsWrong) {
  EXPECT_THAT(refusal_of_bytes(patched(bytes_of(test_plugin("good_fit")),
                                       "\"kind\": \"fit\"",
                                       "\"kind\": \"fat\""))
                  .message(),
              AllOf(StartsWith("E_METADATA"), HasSubstr("\"kind\" is 'fat'")));
}

TEST_F(PluginFileTest, IsRefusedForEachFieldOfItsBuildTag) {
  const std::string good = bytes_of(test_plugin("good_fit"));
  const auto message = [&](std::string_view from, std::string_view to) {
    return refusal_of_bytes(patched(good, from, to)).message();
  };
  EXPECT_THAT(
      message("arch=" SIZEWISE_TAG_ARCH,
              std::string("arch=") + std::string(sizeof(SIZEWISE_TAG_ARCH) - 1, 'z')),
      AllOf(StartsWith("E_ABI"), HasSubstr("arch: plugin zz")));
  EXPECT_THAT(message(";sdk=1.0;", ";sdk=9.0;"), HasSubstr("sdk: plugin 9.0, host 1.0"));
  EXPECT_THAT(message(";sdk=1.0;", ";sdk=1.9;"), HasSubstr("sdk: plugin 1.9, host 1.0"));
  EXPECT_THAT(message(";stdlib=lib", ";stdlib=bil"), HasSubstr("stdlib: plugin bil"));
  EXPECT_THAT(message(";cxx11_abi=", ";cxx98_abi="),
              HasSubstr("cxx11_abi: plugin (absent)"));
  EXPECT_THAT(message(";debug=", ";debag="), HasSubstr("debug: plugin (absent)"));
  EXPECT_THAT(message(";sanitizer=", ";sanitiser="),
              HasSubstr("sanitizer: plugin (absent), host " SIZEWISE_TAG_SANITIZER));
}

TEST_F(PluginFileTest, IsRefusedWhereItIsTruncated) {
  const std::string good = bytes_of(test_plugin("good_fit"));
  const Error error = refusal_of_bytes(std::string_view(good).substr(0, good.size() / 2));
  EXPECT_THAT(error.message(),
              AllOf(StartsWith("E_TRUNCATED"),
                    HasSubstr("the file has " + std::to_string(good.size() / 2))));
}

TEST_F(PluginFileTest, IsRefusedWhereItIsForAnotherMachine) {
  std::string bytes = bytes_of(test_plugin("good_fit"));
  const bool here = bytes[offsetof(Elf64_Ehdr, e_machine)] == EM_X86_64;
  bytes[offsetof(Elf64_Ehdr, e_machine)] =
      static_cast<char>(here ? EM_AARCH64 : EM_X86_64);
  EXPECT_THAT(refusal_of_bytes(bytes).message(),
              AllOf(StartsWith("E_ARCH"), HasSubstr(here ? "aarch64" : "x86_64")));
}

}  // namespace
}  // namespace sizewise::loading

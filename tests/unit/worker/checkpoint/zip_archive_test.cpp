#include "checkpoint/zip_archive.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/refusals.hpp"
#include "support/temporary_folder.hpp"
#include "support/zip_files.hpp"

namespace sizewise::checkpoint {
namespace {

using test::expect_refusal;

class ZipArchiveTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "a.zip"; }

  void expect_refused(std::string_view what) const {
    expect_refusal(
        [&] {
          ZipArchive archive(path());
        },
        what,
        "torch.save()");
    expect_refusal(
        [&] {
          ZipArchive archive(path());
        },
        path().string() + ": ");
  }

  /// Writes an archive, then changes its bytes wherever `from` stands.
  void write_changed(const std::string& from, const std::string& to) const {
    test::write_zip(path(), {{"one", "content"}, {"two", "other"}});
    std::string bytes = test::read_bytes(path());
    std::size_t changes = 0;
    for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos;
         at += to.size()) {
      bytes.replace(at, from.size(), to);
      ++changes;
    }
    ASSERT_GT(changes, 0U);
    test::write_bytes(path(), bytes);
  }

 private:
  test::TemporaryFolder folder_;
};

std::string read(ZipArchive& archive,
                 const std::string& name,
                 uint64_t from,
                 uint64_t count) {
  std::string text(count, '\0');
  archive.read(archive.entries().at(name), from, std::as_writable_bytes(std::span(text)));
  return text;
}

TEST_F(ZipArchiveTest, ReadsAnyPartInAnyOrder) {
  std::string content(100'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<char>('a' + i * i % 23);
  }
  for (const zip_int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    test::write_zip(path(), {{"one", content}, {"two", "other"}}, method);
    ZipArchive archive(path());
    EXPECT_EQ(archive.entries().at("one").bytes, content.size());
    EXPECT_EQ(archive.entries().at("one").stored, method == ZIP_CM_STORE);
    for (const std::size_t from : {50'000, 60'000, 10, 0, 99'999, 100'000}) {
      const std::size_t count = std::min<std::size_t>(20'000, content.size() - from);
      EXPECT_EQ(read(archive, "one", from, count), content.substr(from, count)) << from;
      EXPECT_EQ(read(archive, "two", 1, 3), "the");
    }
    EXPECT_EQ(archive.read_text(archive.entries().at("two"), 5), "other");
  }
}

TEST_F(ZipArchiveTest, RefusesPartsBeyondTheEnd) {
  test::write_zip(path(), {{"one", "content"}});
  ZipArchive archive(path());
  expect_refusal(
      [&] {
        read(archive, "one", 5, 3);
      },
      "has 7 bytes; from 5 on 3 are needed");
  expect_refusal(
      [&] {
        read(archive, "one", 8, 0);
      },
      "has 7 bytes");
  expect_refusal(
      [&] {
        read(archive, "one", UINT64_MAX, 2);
      },
      "has 7 bytes");
  expect_refusal(
      [&] {
        static_cast<void>(archive.read_text(archive.entries().at("one"), 6));
      },
      "has 7 bytes; at most 6 are read");
}

TEST_F(ZipArchiveTest, SaysThatAFileCannotBeOpened) {
  expect_refusal(
      [&] {
        ZipArchive archive(path());
      },
      path().string() + ": cannot be read: ",
      "check the path",
      ErrorCode::kIo);
}

TEST_F(ZipArchiveTest, RefusesWhatIsNoArchive) {
  test::write_bytes(path(), "PK\3\4 and then nothing of the kind");
  expect_refused("is no whole zip archive");
}

TEST_F(ZipArchiveTest, RefusesANameThatStandsTwice) {
  write_changed("two", "one");
  expect_refused("its entry 1 has the name of another");
}

TEST_F(ZipArchiveTest, RefusesSizesThatCannotBe) {
  // 7 bytes and 7 compressed, in the local header and in the directory.
  const std::string seven("\7\0\0\0\7\0\0\0", 8);
  write_changed(seven, std::string("\7\0\0\0\7\0\0\1", 8));
  expect_refused("says that 16777223 bytes became 7, in a file of");
  write_changed(seven, std::string("\0\0\0\1\0\0\0\1", 8));
  expect_refused("says that 16777216 bytes became 16777216, in a file of");
}

TEST_F(ZipArchiveTest, RefusesAnEncryptedEntry) {
  // The directory's flags follow the two versions; bit 0 says encrypted.
  test::write_zip(path(), {{"one", "content"}});
  std::string bytes = test::read_bytes(path());
  const std::size_t directory = bytes.find("PK\1\2");
  ASSERT_NE(directory, std::string::npos);
  bytes[directory + 8] = static_cast<char>(bytes[directory + 8] | 1);
  test::write_bytes(path(), bytes);
  expect_refused("its entry 0 is encrypted");
}

TEST_F(ZipArchiveTest, RefusesAnEntryWhoseBytesAreGone) {
  test::write_zip(path(), {{"one", "content"}});
  std::string bytes = test::read_bytes(path());
  bytes.replace(
      28, 2, "\xff\xff");  // the local header's length of what precedes the content
  test::write_bytes(path(), bytes);
  ZipArchive archive(path());
  expect_refusal(
      [&] {
        read(archive, "one", 0, 7);
      },
      "its entry 0 cannot be read to its end");
}

TEST_F(ZipArchiveTest, RefusesCompressedBytesThatAreNone) {
  test::write_zip(path(), {{"one", std::string(1000, 'x')}}, ZIP_CM_DEFLATE);
  std::string bytes = test::read_bytes(path());
  constexpr std::size_t kLocalHeaderBytes = 30 + 3;
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[kLocalHeaderBytes + i] = '\xff';
  }
  test::write_bytes(path(), bytes);
  ZipArchive archive(path());
  expect_refusal(
      [&] {
        read(archive, "one", 0, 1000);
      },
      "cannot be read to its end");
}

}  // namespace
}  // namespace sizewise::checkpoint

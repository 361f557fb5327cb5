#include "running/durable_file.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sizewise/error.hpp"

#include "scripted.hpp"

namespace sizewise::running {
namespace {

using sizewise::testing::read_text;
using sizewise::testing::TemporaryFolder;
using sizewise::testing::write_text;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::size_t entries(const std::filesystem::path& folder) {
  std::size_t number = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++number;
  }
  return number;
}

TEST(DurableFile, IsCommittedOnce) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "result";
  EXPECT_EQ(commit_new(file, "first"), Commit::kWritten);
  EXPECT_EQ(commit_new(file, "second"), Commit::kThere);
  EXPECT_EQ(read_text(file), "first");
  EXPECT_EQ(entries(folder.path()), 1U) << "no temporary file stays";
}

TEST(DurableFile, IsReplacedWhole) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "plan";
  replace_file(file, "first");
  replace_file(file, "second");
  EXPECT_EQ(read_file(file), "second");
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(DurableFile, NamesTheFileAndTheReason) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "absent" / "result";
  try {
    commit_new(file, "text");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr(file.string()), HasSubstr("No such file or directory")));
  }
  EXPECT_THROW(static_cast<void>(read_file(file)), Error);
}

TEST(DurableFile, LeavesNothingWhereTheDiskTakesOnlyAPart) {
  const TemporaryFolder folder;
  replace_file(folder.path() / "old", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A limit on the size of files refuses as a full disk does: after a part is written.
    const rlimit limit{64, 64};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int refused = 0;
    for (const char* name : {"old", "new"}) {
      try {
        replace_file(folder.path() / name, std::string(1000, 'x'));
      } catch (const Error& error) {
        refused += static_cast<int>(error.code() == ErrorCode::kIo);
      }
    }
    ::_exit(refused);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_EQ(read_text(folder.path() / "old"), "old");
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(DurableFile, LeftoversOfAKilledProgramGo) {
  const TemporaryFolder folder;
  write_text(folder.path() / ".writing-result-1", "half");
  write_text(folder.path() / "result", "whole");
  remove_leftovers(folder.path());
  EXPECT_EQ(entries(folder.path()), 1U);
}

}  // namespace
}  // namespace sizewise::running

#include "console.hpp"

#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "captured.hpp"

namespace sizewise::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A terminal of some width whose output can be read.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    ::grantpt(master_);
    ::unlockpt(master_);
    const int slave = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    winsize size{};
    size.ws_col = columns;
    ::ioctl(slave, TIOCSWINSZ, &size);
    file_ = ::fdopen(slave, "w");
  }
  ~Terminal() {
    if (file_ != nullptr) {
      std::fclose(file_);
    }
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] std::FILE* file() const { return file_; }
  /// All that was written. The terminal is hung up first: until then one read may bring a
  /// part only.
  [[nodiscard]] std::string hang_up() {
    std::fclose(std::exchange(file_, nullptr));
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t count = 0; (count = ::read(master_, part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int master_;
  std::FILE* file_ = nullptr;
};

const char* const kWarning =
    "the budget is far beyond the largest one that was trained, by a factor of a hundred";

TEST(Console, WrapsAtTheTerminalsWidth) {
  const CapturedStream out;
  Terminal terminal(50);
  Console console(out.file(), terminal.file());
  console.warn(kWarning);
  console.fail(Error(ErrorCode::kInput, kWarning, kWarning));
  std::istringstream lines(terminal.hang_up());
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    EXPECT_LE(line.size(), 51U) << line;  // a terminal adds a carriage return
  }
  EXPECT_GE(number, 6U);
}

TEST(Console, KeepsALineALineWhereNobodyWatches) {
  const CapturedStream out;
  const CapturedStream err;
  Console console(out.file(), err.file());
  console.warn(kWarning);
  console.fail(Error(ErrorCode::kInput, "what", "do this"));
  EXPECT_EQ(err.text(),
            std::string("sizewise: warning: ") + kWarning +
                "\nsizewise: error: what\n  do this\n");
}

TEST(Console, SaysWarningsAndFailuresUnderQuietToo) {
  const CapturedStream out;
  const CapturedStream err;
  Console console(out.file(), err.file());
  console.set_quiet(true);
  console.say("a note");
  console.warn("a warning");
  EXPECT_EQ(err.text(), "sizewise: warning: a warning\n");
}

}  // namespace
}  // namespace sizewise::cli

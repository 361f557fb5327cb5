#include "console.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reporting/text.hpp"

namespace sizewise::cli {
namespace {

[[noreturn]] void refuse_output(int fault) {
  throw Error(ErrorCode::kIo,
              fmt::format("standard output cannot be written: {}", std::strerror(fault)),
              "check the disk or the program that reads it");
}

}  // namespace

void Console::result(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size()) {
    refuse_output(errno);
  }
}

void Console::tell(std::string_view head, std::string_view line) {
  const std::string text = reporting::printable(line, "\n\t");
  winsize size{};
  const int descriptor = ::fileno(err_);
  if (::isatty(descriptor) != 1) {
    fmt::print(err_, "{}{}\n", head, text);
    return;
  }
  const bool is_known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const std::size_t width = is_known ? size.ws_col : reporting::kTextWidth;
  fmt::print(err_, "{}", reporting::hanging(head, text, width));
}

void Console::say(std::string_view line) {
  if (!quiet_) {
    tell("", line);
  }
}

void Console::warn(std::string_view line) {
  tell("sizewise: warning: ", line);
}

void Console::fail(const Error& error) {
  tell("sizewise: error: ", error.message());
  if (!error.suggestion().empty()) {
    tell("  ", error.suggestion());
  }
}

void Console::flush() {
  if (std::fflush(out_) != 0) {
    refuse_output(errno);
  }
}

bool Console::shows_progress_bar() const {
  return !quiet_ && ::isatty(::fileno(err_)) == 1;
}

}  // namespace sizewise::cli

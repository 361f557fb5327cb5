#include "console.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "sizewise/error.hpp"

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

void Console::say(std::string_view line) {
  if (!quiet_) {
    fmt::print(err_, "{}\n", line);
  }
}

void Console::warn(std::string_view line) {
  fmt::print(err_, "sizewise: warning: {}\n", line);
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

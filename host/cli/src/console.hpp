#pragma once

#include <cstdio>
#include <string_view>

#include "sizewise/error.hpp"

namespace sizewise::cli {

/// Where a command's words go: results to standard output and nothing else there; what is
/// for people (progress, notes, warnings) to standard error. [one thread at a time]
class Console {
 public:
  /// Both streams are borrowed.
  Console(std::FILE* out, std::FILE* err) : out_(out), err_(err) {}

  /// A piece of the command's result, as it is (with its own line ends).
  /// @throws Error kIo where it cannot be written
  void result(std::string_view text);

  /// A line for people; silent under --quiet.
  void say(std::string_view line);

  /// A warning: said even under --quiet.
  void warn(std::string_view line);

  /// What ended the command: said even under --quiet.
  void fail(const Error& error);

  /// Writes what is buffered.
  /// @throws Error kIo where standard output cannot take it (a full disk, say)
  void flush();

  void set_quiet(bool quiet) { quiet_ = quiet; }
  [[nodiscard]] bool quiet() const { return quiet_; }
  /// Whether standard error is a terminal, so that a progress bar makes sense.
  [[nodiscard]] bool shows_progress_bar() const;

 private:
  /// A text after its head, wrapped where standard error is a terminal; elsewhere a line
  /// stays a line, for the programs that read it.
  void tell(std::string_view head, std::string_view line);

  std::FILE* out_;
  std::FILE* err_;
  bool quiet_ = false;
};

}  // namespace sizewise::cli

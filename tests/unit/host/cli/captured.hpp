#pragma once

#include <cstdio>
#include <string>

#include "command_line.hpp"
#include "console.hpp"
#include "program.hpp"

namespace sizewise::cli {

/// A stream that can be read back.
class CapturedStream {
 public:
  CapturedStream() : file_(std::tmpfile()) {}
  ~CapturedStream() { std::fclose(file_); }
  CapturedStream(const CapturedStream&) = delete;
  CapturedStream& operator=(const CapturedStream&) = delete;

  [[nodiscard]] std::FILE* file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::fflush(file_);
    std::fseek(file_, 0, SEEK_SET);
    std::string text;
    for (int letter = std::fgetc(file_); letter != EOF; letter = std::fgetc(file_)) {
      text += static_cast<char>(letter);
    }
    return text;
  }

 private:
  std::FILE* file_;
};

/// What a run of the program did.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

inline Ran run(const Arguments& arguments) {
  const CapturedStream out;
  const CapturedStream err;
  const int code = run_program(arguments, out.file(), err.file());
  return {code, out.text(), err.text()};
}

}  // namespace sizewise::cli

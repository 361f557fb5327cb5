#pragma once

#include "command_line.hpp"
#include "console.hpp"

namespace sizewise::cli {

/// Runs the command that the first argument names; the program's exit code: 0 done, 1 it
/// ran and the answer is "no", 2 usage or bad input, 3 an internal fault. The one place
/// that catches what a command throws and says it: on standard error for people, and with
/// --json also as one object {"error": {code, message, suggestion}} on standard output.
[[nodiscard]] int run_program(const Arguments& arguments, std::FILE* out, std::FILE* err);

}  // namespace sizewise::cli

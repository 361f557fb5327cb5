#pragma once

#include <string_view>

namespace sizewise::fuzzing {

/// What a target does with one input. It may throw sizewise::Error, the answer to bad
/// input; anything else that leaves it, a failed require() or a sanitizer's finding is a
/// fault.
void fuzz_one(std::string_view input);

/// Ends the program with a message where a property does not hold.
void require(bool holds, const char* property);

/// fuzz_one(), with sizewise::Error as an ordinary end.
void run_one(std::string_view input);

}  // namespace sizewise::fuzzing

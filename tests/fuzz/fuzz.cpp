#include "fuzz.hpp"

#include <cstdio>
#include <cstdlib>

#include <sizewise/error.hpp>

namespace sizewise::fuzzing {

void require(bool holds, const char* property) {
  if (!holds) {
    std::fprintf(stderr, "this does not hold: %s\n", property);
    std::abort();
  }
}

void run_one(std::string_view input) {
  try {
    fuzz_one(input);
  } catch (const Error& error) {
    require(!error.message().empty(), "an Error has a message");
    require(error.code() != ErrorCode::kInternal, "bad input is no internal fault");
  }
}

}  // namespace sizewise::fuzzing

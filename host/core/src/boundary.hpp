#pragma once

#include <string>

namespace sizewise {

/// Whether a text can stand in the files of a run and in a worker's requests.
[[nodiscard]] bool is_utf8(const std::string& text);

/// Rethrows the exception in flight as an Error: what the standard library, the file
/// system and json throw becomes kIo or kInput where the machine or the user can mend it,
/// kInternal otherwise. [in a catch block]
[[noreturn]] void rethrow_as_error();

/// Runs what the library offers to programs: whatever happens inside, an Error is all
/// that leaves it.
template <class Call>
auto with_errors_alone(Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace sizewise

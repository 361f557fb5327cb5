#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "sizewise/error.hpp"

namespace sizewise::training {

/// Rethrows the exception in flight as an Error that names the plugin: LibTorch's without
/// its backtrace, memory that ran out as kTraining with what to do. `doing` names the
/// call, such as "create(16)"; it may be empty. [in a catch block]
[[noreturn]] void rethrow_named(std::string_view plugin, std::string_view doing = {});

/// Runs a call into a plugin, or into what it built; whatever it throws becomes one clear
/// Error naming the plugin. The one place where the worker catches a plugin's exceptions.
template <class Call>
auto guarded(std::string_view plugin, std::string_view doing, Call&& call)
    -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    rethrow_named(plugin, doing);
  }
}

template <class Call>
auto guarded(std::string_view plugin, Call&& call) -> decltype(call()) {
  return guarded(plugin, std::string_view(), std::forward<Call>(call));
}

/// What an exception in flight outside of any plugin's call becomes: memory that ran out
/// is kTraining with what to do, all else kInternal. [in a catch block]
[[nodiscard]] Error error_in_flight();

/// A message of LibTorch without the lines that tell where in its source it was thrown.
[[nodiscard]] std::string without_backtrace(std::string_view message);

}  // namespace sizewise::training

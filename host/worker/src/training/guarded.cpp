#include "training/guarded.hpp"

#include <new>

#include <c10/util/Exception.h>
#include <fmt/format.h>

namespace sizewise::training {
namespace {

constexpr std::string_view kLessMemory =
    "choose a smaller size, lower --batch-size, or raise --accumulate";

bool is_about_memory(std::string_view message) {
  return message.find("can't allocate memory") != std::string_view::npos ||
         message.find("not enough memory") != std::string_view::npos ||
         message.find("out of memory") != std::string_view::npos;
}

Error out_of_memory(const std::string& message) {
  return {ErrorCode::kTraining, message, std::string(kLessMemory)};
}

/// What every message begins with: "plugin 'mlp': " or "plugin 'mlp' in create(16): ".
std::string prefix_of(std::string_view plugin, std::string_view doing) {
  return doing.empty() ? fmt::format("plugin '{}': ", plugin)
                       : fmt::format("plugin '{}' in {}: ", plugin, doing);
}

}  // namespace

std::string without_backtrace(std::string_view message) {
  const std::size_t trace = message.find("\nException raised from");
  std::string text(message.substr(0, trace));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

Error error_in_flight() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return out_of_memory("out of memory");
  } catch (const std::exception& error) {
    const std::string message = without_backtrace(error.what());
    return is_about_memory(message) ? out_of_memory(message)
                                    : Error(ErrorCode::kInternal, message);
  } catch (...) {
    return {ErrorCode::kInternal, "something was thrown that is no std::exception"};
  }
}

void rethrow_named(std::string_view plugin, std::string_view doing) {
  const std::string prefix = prefix_of(plugin, doing);
  try {
    throw;
  } catch (const Error& error) {
    const std::string message = without_backtrace(error.message());
    const bool named = message.starts_with("plugin '");
    throw Error(error.code(), named ? message : prefix + message, error.suggestion());
  } catch (const c10::OutOfMemoryError& error) {
    throw out_of_memory(prefix + without_backtrace(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string message = without_backtrace(error.what_without_backtrace());
    if (is_about_memory(message)) {
      throw out_of_memory(prefix + message);
    }
    throw Error(ErrorCode::kPlugin, prefix + message);
  } catch (const std::bad_alloc&) {
    throw out_of_memory(prefix + "out of memory");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kPlugin, prefix + without_backtrace(error.what()));
  } catch (...) {
    throw Error(ErrorCode::kPlugin, prefix + "threw something that is no std::exception");
  }
}

}  // namespace sizewise::training

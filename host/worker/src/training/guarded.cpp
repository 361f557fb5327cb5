#include "training/guarded.hpp"

#include <new>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::training {
namespace {

constexpr std::string_view kLessMemory =
    "choose a smaller size, lower --batch-size, or raise --accumulate";

bool is_about_memory(std::string_view message) {
  return message.find("can't allocate memory") != std::string_view::npos ||
         message.find("not enough memory") != std::string_view::npos;
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

void rethrow_named(std::string_view plugin, std::string_view doing) {
  const std::string prefix = prefix_of(plugin, doing);
  try {
    throw;
  } catch (const Error& error) {
    const std::string message = without_backtrace(error.message());
    const bool named = message.starts_with("plugin '");
    throw Error(error.code(), named ? message : prefix + message, error.suggestion());
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kTraining,
                prefix + without_backtrace(error.what_without_backtrace()),
                std::string(kLessMemory));
  } catch (const c10::Error& error) {
    const std::string message = without_backtrace(error.what_without_backtrace());
    if (is_about_memory(message)) {
      throw Error(ErrorCode::kTraining, prefix + message, std::string(kLessMemory));
    }
    throw Error(ErrorCode::kPlugin, prefix + message);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kTraining, prefix + "out of memory", std::string(kLessMemory));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kPlugin, prefix + without_backtrace(error.what()));
  } catch (...) {
    throw Error(ErrorCode::kPlugin, prefix + "threw something that is no std::exception");
  }
}

}  // namespace sizewise::training

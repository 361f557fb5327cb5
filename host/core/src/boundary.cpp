#include "boundary.hpp"

#include <exception>
#include <filesystem>
#include <new>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sizewise/error.hpp"

namespace sizewise {
namespace {

/// nlohmann_json's number for a text that is not UTF-8.
constexpr int kNotUtf8 = 316;

[[noreturn]] void report_fault(const char* fault) {
  throw Error(ErrorCode::kInternal,
              fmt::format("unexpected fault: {}", fault),
              "this is a fault of Sizewise; please report it with the command line");
}

}  // namespace

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::filesystem::filesystem_error& fault) {
    throw Error(
        ErrorCode::kIo,
        fmt::format("{}: {}", fault.path1().string(), fault.code().message()),
        "check that file or folder: whether it is there, and whether you may use it");
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kIo,
                "the memory is used up",
                "free some, or ask for less: a smaller table, fewer --jobs");
  } catch (const nlohmann::json::exception& fault) {
    if (fault.id != kNotUtf8) {
      report_fault(fault.what());
    }
    throw Error(ErrorCode::kInput,
                "the name of a file or folder, or an option, is not UTF-8",
                "rename it, or work in a folder whose path is UTF-8");
  } catch (const std::exception& fault) {
    report_fault(fault.what());
  } catch (...) {
    report_fault("something that is no std::exception was thrown");
  }
}

}  // namespace sizewise

#include "loading/refusal.hpp"

#include <utility>

#include <fmt/format.h>

namespace sizewise::loading {

void refuse(std::string_view code, std::string_view message, std::string suggestion) {
  throw Error(
      ErrorCode::kPlugin, fmt::format("{}: {}", code, message), std::move(suggestion));
}

RefusedFile refused_file(const std::filesystem::path& path, const Error& error) {
  const std::string& message = error.message();
  const std::size_t colon = message.find(": ");
  if (message.rfind("E_", 0) != 0 || colon == std::string::npos) {
    return {path, "E_OPEN", message, error.suggestion()};
  }
  return {path, message.substr(0, colon), message.substr(colon + 2), error.suggestion()};
}

}  // namespace sizewise::loading

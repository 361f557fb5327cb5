#include "sizewise/error.hpp"

#include <array>
#include <utility>

namespace sizewise {
namespace {

constexpr std::array<std::string_view, 9> kNames = {"configuration",
                                                    "input",
                                                    "plugin",
                                                    "training",
                                                    "fit",
                                                    "quantization",
                                                    "validation",
                                                    "io",
                                                    "internal"};

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : kNames.back();
}

ErrorCode error_code_from_string(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<ErrorCode>(i);
    }
  }
  return ErrorCode::kInternal;
}

Error::Error(ErrorCode code, std::string message, std::string suggestion)
    : code_(code), message_(std::move(message)), suggestion_(std::move(suggestion)) {}

Error::~Error() = default;

}  // namespace sizewise

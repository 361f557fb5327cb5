#pragma once

#include <string>
#include <string_view>

namespace sizewise::cli {

/// How wide people's text is, in columns.
inline constexpr std::size_t kTextWidth = 80;

/// The text in lines of at most kTextWidth columns, each after `indent` spaces and ended;
/// broken at spaces, so a single longer word stays whole.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent);

}  // namespace sizewise::cli

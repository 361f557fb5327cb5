#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sizewise::reporting {

/// How wide people's text is, in columns.
inline constexpr std::size_t kTextWidth = 80;

/// The text in lines of at most `width` columns, each after `indent` spaces and ended;
/// broken at white space, so a single longer word stays whole.
[[nodiscard]] std::string wrapped(std::string_view text,
                                  std::size_t indent,
                                  std::size_t width = kTextWidth);

/// The same, with `head` in place of the first line's spaces: "  - one point".
[[nodiscard]] std::string hanging(std::string_view head,
                                  std::string_view text,
                                  std::size_t width = kTextWidth);

/// The text with every control character but those of `kept` as "\x1b": names come from
/// files that may hold anything, and a terminal obeys.
[[nodiscard]] std::string printable(std::string_view text, std::string_view kept = "");

}  // namespace sizewise::reporting

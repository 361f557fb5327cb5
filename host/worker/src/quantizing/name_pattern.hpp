#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sizewise::quantizing {

/// Whether a name is of a pattern's form: `*` stands for any characters, `?` for one, all
/// others for themselves. [any thread]
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name) noexcept;

/// Which layers a user wants quantized.
struct NamePatterns {
  std::vector<std::string> include;  ///< empty: all
  std::vector<std::string> exclude;  ///< stronger than `include`
};

/// The first of the patterns that one of the names matches; nullptr where none does.
[[nodiscard]] const std::string* first_match(const std::vector<std::string>& patterns,
                                             const std::vector<std::string>& names);

/// A warning for each pattern that none of the names matches.
[[nodiscard]] std::vector<std::string> warnings_of_unused(
    const NamePatterns& patterns, const std::vector<std::string>& names);

}  // namespace sizewise::quantizing

#include "quantizing/name_pattern.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sizewise::quantizing {

bool matches(std::string_view pattern, std::string_view name) noexcept {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the last one passed in the pattern
  std::size_t resume = 0;                     // where in the name it may end next
  std::size_t place = 0;
  while (place < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = place;
    } else if (at < pattern.size() &&
               (pattern[at] == '?' || pattern[at] == name[place])) {
      ++at;
      ++place;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      place = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

const std::string* first_match(const std::vector<std::string>& patterns,
                               const std::vector<std::string>& names) {
  for (const std::string& pattern : patterns) {
    for (const std::string& name : names) {
      if (matches(pattern, name)) {
        return &pattern;
      }
    }
  }
  return nullptr;
}

std::vector<std::string> warnings_of_unused(const NamePatterns& patterns,
                                            const std::vector<std::string>& names) {
  std::vector<std::string> warnings;
  for (const auto& [kind, list] : {std::pair{"include", &patterns.include},
                                   std::pair{"exclude", &patterns.exclude}}) {
    for (const std::string& pattern : *list) {
      if (first_match({pattern}, names) == nullptr) {
        warnings.push_back(
            fmt::format("the {} pattern {} names no layer", kind, pattern));
      }
    }
  }
  return warnings;
}

}  // namespace sizewise::quantizing

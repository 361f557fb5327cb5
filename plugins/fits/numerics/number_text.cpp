#include "number_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace sizewise::fits {

std::string number_text(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(
      text.data(), text.data() + text.size(), number, std::chars_format::general, 6);
  return {text.data(), end.ptr};
}

}  // namespace sizewise::fits

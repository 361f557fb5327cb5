#pragma once

#include <string>

namespace sizewise::fits {

/// A number for a message, 6 digits.
[[nodiscard]] std::string number_text(double number);

}  // namespace sizewise::fits

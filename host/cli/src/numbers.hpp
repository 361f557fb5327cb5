#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

// Numbers as people write them on a command line: 1e9, 3.5, 1e9,3e9 and 1e9:1e11:5.

namespace sizewise::cli {

/// @param flag names the flag in messages, "--seed"
/// @throws Error kConfiguration where the text is no finite number or outside [least,
/// most]
[[nodiscard]] double parse_number(std::string_view flag,
                                  std::string_view text,
                                  double least,
                                  double most);

/// An integer, also written 1e6.
/// @throws Error kConfiguration where the text is none or outside [least, most]
[[nodiscard]] int64_t parse_integer(std::string_view flag,
                                    std::string_view text,
                                    int64_t least,
                                    int64_t most);

/// Positive numbers separated by commas, or FIRST:LAST:COUNT, evenly spaced in logarithm
/// with both ends exact.
/// @throws Error kConfiguration where a part is not positive, FIRST is above LAST, or
/// COUNT is outside 2 to 1000
[[nodiscard]] std::vector<double> parse_positive_list(std::string_view flag,
                                                      std::string_view text);

}  // namespace sizewise::cli

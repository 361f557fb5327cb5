#include "numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "sizewise/error.hpp"

namespace sizewise::cli {
namespace {

constexpr int64_t kMostListed = 1000;

std::optional<double> number_of(std::string_view text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stopped != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> integer_of(std::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, value);
  if (fault == std::errc{} && stopped == end) {
    return value;
  }
  // 1e6 is how people write a million; past 2^53 a double would not hold it exactly.
  constexpr double kMostExact = 9007199254740992.0;
  const std::optional<double> number = number_of(text);
  if (number && std::floor(*number) == *number && std::abs(*number) <= kMostExact) {
    return static_cast<int64_t>(*number);
  }
  return std::nullopt;
}

[[noreturn]] void refuse(std::string_view flag,
                         std::string_view text,
                         std::string_view allowed,
                         const std::string& example) {
  throw Error(ErrorCode::kConfiguration,
              fmt::format("{} is '{}'; allowed: {}", flag, text, allowed),
              fmt::format("for example: {} {}", flag, example));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string range(double least, double most, std::string_view what) {
  const bool bounded_below = least > std::numeric_limits<double>::lowest();
  const bool bounded_above = most < std::numeric_limits<double>::max();
  if (bounded_below && bounded_above) {
    return fmt::format("{}, {} to {}", what, least, most);
  }
  if (bounded_below) {
    return fmt::format("{}, at least {}", what, least);
  }
  return bounded_above ? fmt::format("{}, at most {}", what, most) : std::string(what);
}

}  // namespace

double parse_number(std::string_view flag,
                    std::string_view text,
                    double least,
                    double most) {
  const std::optional<double> value = number_of(text);
  if (!value || *value < least || *value > most) {
    refuse(flag,
           text,
           range(least, most, "a number"),
           fmt::format("{}", std::clamp(value.value_or(1.0), least, most)));
  }
  return *value;
}

int64_t parse_integer(std::string_view flag,
                      std::string_view text,
                      int64_t least,
                      int64_t most) {
  const std::optional<int64_t> value = integer_of(text);
  if (!value || *value < least || *value > most) {
    refuse(flag,
           text,
           most == std::numeric_limits<int64_t>::max()
               ? fmt::format("an integer, at least {}", least)
               : fmt::format("an integer, {} to {}", least, most),
           std::to_string(std::clamp(value.value_or(1), least, most)));
  }
  return *value;
}

std::vector<double> parse_positive_list(std::string_view flag, std::string_view text) {
  constexpr std::string_view kAllowed =
      "positive numbers, as 1e9,3e9 or FIRST:LAST:COUNT (evenly spaced in logarithm, "
      "FIRST at most LAST, COUNT 2 to 1000)";
  const std::string example = "1e9,3e9,1e10";
  std::vector<double> values;
  if (text.find(':') == std::string_view::npos) {
    for (const std::string_view part : split(text, ',')) {
      const std::optional<double> value = number_of(part);
      if (!value || *value <= 0) {
        refuse(flag, text, kAllowed, example);
      }
      values.push_back(*value);
    }
    return values;
  }
  const std::vector<std::string_view> parts = split(text, ':');
  // Zero stands for what is no number: neither is allowed.
  const double first = number_of(parts[0]).value_or(0.0);
  const double last = number_of(parts[1]).value_or(0.0);
  const int64_t count = parts.size() == 3 ? integer_of(parts[2]).value_or(0) : 0;
  if (first <= 0 || last < first || count < 2 || count > kMostListed) {
    refuse(flag, text, kAllowed, example);
  }
  for (int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    values.push_back(std::exp(std::lerp(std::log(first), std::log(last), share)));
  }
  values.front() = first;
  values.back() = last;
  return values;
}

}  // namespace sizewise::cli

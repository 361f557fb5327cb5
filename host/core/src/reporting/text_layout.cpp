#include "reporting/text_layout.hpp"

#include <cmath>

#include <fmt/format.h>

namespace sizewise::reporting {

std::string end_text(double end) {
  return std::isfinite(end) ? fmt::format("{:.5g}", end) : "unbounded";
}

std::string interval_text(const fitting::Interval& interval) {
  return end_text(interval.low) + " to " + end_text(interval.high);
}

std::string line_of(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string number_or(double number, const char* format, const char* otherwise) {
  return std::isfinite(number) ? fmt::format(fmt::runtime(format), number) : otherwise;
}

std::string number_text(double number, int digits) {
  if (std::isnan(number)) {
    return "";
  }
  return std::isinf(number) ? "unbounded" : fmt::format("{:.{}g}", number, digits);
}

}  // namespace sizewise::reporting

#include "reporting/text_layout.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sizewise::reporting {

std::string paragraph(std::string_view head, std::string_view text) {
  std::string lines;
  std::string line(head);
  bool has_word = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (has_word && line.size() + 1 + word.size() > kWidth) {
      lines += line + "\n";
      line.assign(head.size(), ' ');
      has_word = false;
    }
    line += has_word ? " " : "";
    line += word;
    has_word = true;
  }
  return lines + line + "\n";
}

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

std::string number_text(double number, int digits) {
  if (std::isnan(number)) {
    return "";
  }
  return std::isinf(number) ? "unbounded" : fmt::format("{:.{}g}", number, digits);
}

}  // namespace sizewise::reporting

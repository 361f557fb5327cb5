#include "reporting/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sizewise::reporting {
namespace {

constexpr std::string_view kBlanks = " \n";

/// Letters of UTF-8; close enough to columns for the texts of manifests.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && indent + columns(line) + 1 + columns(word) > width) {
      lines += margin + line + "\n";
      line.clear();
    }
    if (!line.empty()) {
      line += ' ';
    }
    line += word;
  }
  return line.empty() ? lines : lines + margin + line + "\n";
}

std::string hanging(std::string_view head, std::string_view text, std::size_t width) {
  const std::size_t indent = columns(head);
  const std::string lines = wrapped(text, indent, width);
  return std::string(head) + (lines.empty() ? "\n" : lines.substr(indent));
}

std::string printable(std::string_view text, std::string_view kept) {
  constexpr unsigned char kFirstLetter = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  std::string shown;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    const bool is_control = code < kFirstLetter || code == kDelete;
    if (is_control && kept.find(letter) == std::string_view::npos) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += letter;
    }
  }
  return shown;
}

}  // namespace sizewise::reporting

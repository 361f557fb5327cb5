#include "loading/build_tag_check.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sizewise/build_tag.hpp"

#include "loading/refusal.hpp"

namespace sizewise::loading {
namespace {

constexpr std::array<std::string_view, 5> kEqualFields = {
    "arch", "stdlib", "cxx11_abi", "debug", "sanitizer"};

/// The value of one "field=value" of a tag; empty where the tag has no such field.
std::string_view field_of(std::string_view tag, std::string_view field) {
  while (!tag.empty()) {
    const std::size_t end = tag.find(';');
    const std::string_view pair = tag.substr(0, end);
    if (pair.size() > field.size() && pair[field.size()] == '=' &&
        pair.substr(0, field.size()) == field) {
      return pair.substr(field.size() + 1);
    }
    tag = end == std::string_view::npos ? std::string_view{} : tag.substr(end + 1);
  }
  return {};
}

std::pair<int, int> version_of(std::string_view text) {
  std::pair<int, int> version{-1, -1};
  const char* const end = text.data() + text.size();
  const char* const dot = std::from_chars(text.data(), end, version.first).ptr;
  if (dot != end && *dot == '.') {
    std::from_chars(dot + 1, end, version.second);
  }
  return version;
}

std::string difference(std::string_view field,
                       std::string_view plugin,
                       std::string_view host) {
  return fmt::format(
      "{}: plugin {}, host {}", field, plugin.empty() ? "(absent)" : plugin, host);
}

[[noreturn]] void refuse_differences(const std::vector<std::string>& differences) {
  refuse("E_ABI",
         fmt::format("it was built for another host ({})", fmt::join(differences, "; ")),
         "rebuild the plugin with find_package(Sizewise) of this installation");
}

}  // namespace

void check_build_tag(std::string_view plugin_tag) {
  check_build_tag(plugin_tag, SIZEWISE_BUILD_TAG);
}

void check_build_tag(std::string_view plugin_tag, std::string_view host_tag) {
  std::vector<std::string> differences;
  for (const std::string_view field : kEqualFields) {
    const std::string_view plugin = field_of(plugin_tag, field);
    const std::string_view host = field_of(host_tag, field);
    if (plugin != host) {
      differences.push_back(difference(field, plugin, host));
    }
  }
  const std::string_view plugin_sdk = field_of(plugin_tag, "sdk");
  const std::string_view host_sdk = field_of(host_tag, "sdk");
  const auto plugin_version = version_of(plugin_sdk);
  const auto host_version = version_of(host_sdk);
  if (plugin_version.first != host_version.first || plugin_version.second < 0 ||
      plugin_version.second > host_version.second) {
    differences.push_back(difference("sdk", plugin_sdk, host_sdk));
  }
  if (!differences.empty()) {
    refuse_differences(differences);
  }
}

void check_torch(const PluginFile& plugin, std::string_view torch_version) {
  const std::string_view built_with = field_of(plugin.build_tag, "torch");
  if (built_with != torch_version) {
    refuse_differences({difference("torch", built_with, torch_version)});
  }
}

}  // namespace sizewise::loading

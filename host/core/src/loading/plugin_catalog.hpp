#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/manifest.hpp"

namespace sizewise::loading {

/// A plugin that passed every check that needs no code of it to run.
struct PluginFile {
  std::filesystem::path path;  ///< canonical
  Manifest manifest;
  std::string build_tag;
};

/// A file in a plugins folder that cannot be used, and why.
struct RefusedFile {
  std::filesystem::path path;
  std::string code;  ///< "E_NOT_ELF" and the like; see docs/command-line.md
  std::string message;
  std::string suggestion;
};

/// Where plugins are looked for, in this order.
struct SearchPath {
  std::vector<std::filesystem::path> folders;
};

/// --plugin-dir folders as given, then SIZEWISE_PLUGIN_PATH (":"-separated), then the
/// plugins folder beside the program (../lib/sizewise/plugins from its folder), then the
/// install's.
[[nodiscard]] SearchPath default_search_path(
    const std::vector<std::filesystem::path>& plugin_dirs);

/// Reads the note of one file: no dlopen, nothing of the plugin runs.
/// @throws Error kPlugin; its message begins with the code, "E_NOT_ELF: ..."
[[nodiscard]] PluginFile inspect_plugin(const std::filesystem::path& path);

/// Every plugin of some folders. A bad file is listed among the refused and hides no good
/// one.
class PluginCatalog {
 public:
  /// @throws Error kInput where a folder that the user named (--plugin-dir) does not
  /// exist
  [[nodiscard]] static PluginCatalog scan(const SearchPath& search_path);

  [[nodiscard]] const std::vector<PluginFile>& plugins() const { return plugins_; }
  [[nodiscard]] const std::vector<RefusedFile>& refused() const { return refused_; }

  /// The plugin of that kind with that id, or at that path where `id_or_path` names a .so
  /// file.
  /// @throws Error kConfiguration where there is none (with the nearest id, and all ids
  /// of the
  ///   kind) or where two files claim the id (naming both)
  [[nodiscard]] PluginFile find(PluginKind kind, std::string_view id_or_path) const;
  /// The same for any kind.
  [[nodiscard]] PluginFile find(std::string_view id_or_path) const;

 private:
  std::vector<PluginFile> plugins_;
  std::vector<RefusedFile> refused_;
};

}  // namespace sizewise::loading

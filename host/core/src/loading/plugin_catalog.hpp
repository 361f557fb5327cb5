#pragma once

#include <filesystem>
#include <map>
#include <optional>
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

/// A file or folder that cannot be used, and why.
struct RefusedFile {
  std::filesystem::path path;
  std::string code;  ///< "E_NOT_ELF" and the like; see docs/command-line.md
  std::string message;
  std::string suggestion;
};

/// Where plugins are looked for, in this order. Folders that do not exist are passed
/// over.
struct SearchPath {
  std::vector<std::filesystem::path> folders;
};

/// --plugin-dir folders as given, then SIZEWISE_PLUGIN_PATH (":"-separated), then the
/// plugins folder beside the program (../lib/sizewise/plugins from its folder), then the
/// install's (sizewise/plugins beside the library that this is in).
/// @throws Error kInput where a folder of `plugin_dirs` does not exist or is no folder
[[nodiscard]] SearchPath default_search_path(
    const std::vector<std::filesystem::path>& plugin_dirs);

/// Reads the note of one file: no dlopen, nothing of the plugin runs. A symbolic link is
/// followed, because its path was named.
/// @throws Error kPlugin; its message begins with the code, "E_NOT_ELF: ...", and names
/// the file
[[nodiscard]] PluginFile inspect_plugin(const std::filesystem::path& path);

/// Every plugin of some folders: their files with the suffix .so. A bad file is listed
/// among the refused and hides no good one; two files with one id are both refused.
class PluginCatalog {
 public:
  [[nodiscard]] static PluginCatalog scan(const SearchPath& search_path);

  /// Sorted by kind, then by id.
  [[nodiscard]] const std::vector<PluginFile>& plugins() const { return plugins_; }
  [[nodiscard]] const std::vector<RefusedFile>& refused() const { return refused_; }

  /// The plugin of that kind with that id, or at that path where `id_or_path` holds a "/"
  /// or ends in ".so".
  /// @throws Error kConfiguration where there is none (with the nearest id, and all ids
  ///   of the kind), where it is of another kind, or where two files claim the id (naming
  ///   both); kPlugin where the file at the path is refused
  [[nodiscard]] PluginFile find(PluginKind kind, std::string_view id_or_path) const;
  /// The same for any kind.
  [[nodiscard]] PluginFile find(std::string_view id_or_path) const;

 private:
  [[nodiscard]] PluginFile find_any(std::optional<PluginKind> kind,
                                    std::string_view id_or_path) const;
  [[noreturn]] void refuse_unknown(std::optional<PluginKind> kind,
                                   std::string_view id) const;

  std::vector<PluginFile> plugins_;
  std::vector<RefusedFile> refused_;
  std::map<std::string, std::vector<std::filesystem::path>, std::less<>> contested_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace sizewise::loading

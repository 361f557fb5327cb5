#include "loading/plugin_catalog.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "loading/refusal.hpp"

namespace sizewise::loading {
namespace {

namespace fs = std::filesystem;

fs::path plugins_beside_program() {
  std::error_code fault;
  const fs::path program = fs::read_symlink("/proc/self/exe", fault);
  return fault ? fs::path{}
               : program.parent_path().parent_path() / "lib" / "sizewise" / "plugins";
}

/// Found through the library's own address, so that a tree may be moved and a program of
/// someone else's finds the plugins of the Sizewise that it links.
fs::path plugins_beside_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&default_search_path), &info) == 0 ||
      info.dli_fname == nullptr) {
    return {};
  }
  std::error_code fault;
  const fs::path library = fs::canonical(info.dli_fname, fault);
  return fault ? fs::path{} : library.parent_path() / "sizewise" / "plugins";
}

/// Whether a path lies in a folder; both canonical.
bool is_inside(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

/// What a file is, whichever names it has.
std::pair<dev_t, ino_t> identity_of(const fs::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? std::pair{status.st_dev, status.st_ino}
                                            : std::pair<dev_t, ino_t>{};
}

/// Collects what the folders hold, before ids are compared.
class Scan {
 public:
  void folder(const fs::path& named) {
    std::error_code fault;
    const fs::path folder = fs::canonical(named, fault);
    if (fault || !fs::is_directory(folder, fault) || !folders_.insert(folder).second) {
      return;
    }
    struct stat status{};
    if (::stat(folder.c_str(), &status) == 0 &&
        (status.st_mode & static_cast<unsigned>(S_IWOTH)) != 0) {
      refused.push_back({folder,
                         "E_WRITABLE",
                         "every user may write this folder; none of its plugins is used",
                         fmt::format("run `chmod o-w '{}'`", folder.string())});
      return;
    }
    for (const fs::path& candidate : candidates_in(folder)) {
      file(candidate, folder);
    }
  }

  std::vector<PluginFile> plugins;
  std::vector<RefusedFile> refused;

 private:
  /// Sorted, so that listings do not depend on the file system's order.
  std::vector<fs::path> candidates_in(const fs::path& folder) {
    std::vector<fs::path> candidates;
    std::error_code fault;
    for (fs::directory_iterator at(folder, fault), end; !fault && at != end;
         at.increment(fault)) {
      if (at->path().extension() == ".so") {
        candidates.push_back(at->path());
      }
    }
    if (fault) {
      refused.push_back({folder,
                         "E_OPEN",
                         fmt::format("the folder cannot be read: {}", fault.message()),
                         "check its permissions"});
    }
    std::sort(candidates.begin(), candidates.end());
    return candidates;
  }

  void file(const fs::path& path, const fs::path& folder) {
    std::error_code fault;
    if (fs::is_symlink(path, fault)) {
      const fs::path target = fs::canonical(path, fault);
      if (!fault && is_inside(target, folder)) {
        return;  // The target is listed under its own name.
      }
      if (!fault) {
        refused.push_back({path,
                           "E_SYMLINK",
                           fmt::format("it is a symbolic link that leads outside its "
                                       "folder, to {}",
                                       target.string()),
                           "copy the file, or name its own folder with --plugin-dir"});
        return;
      }
      // A link to nothing is told as any file that cannot be opened.
    }
    try {
      PluginFile plugin = inspect_plugin(path);
      if (files_.insert(identity_of(plugin.path)).second) {
        plugins.push_back(std::move(plugin));
      }
    } catch (const Error& error) {
      RefusedFile refusal = refused_file(path, error);
      // A listing has the path in a column of its own.
      const std::string prefix = path.string() + ": ";
      if (refusal.message.rfind(prefix, 0) == 0) {
        refusal.message.erase(0, prefix.size());
      }
      refused.push_back(std::move(refusal));
    }
  }

  std::set<fs::path> folders_;
  std::set<std::pair<dev_t, ino_t>> files_;
};

std::vector<std::string> ids_of(const std::vector<PluginFile>& plugins,
                                std::optional<PluginKind> kind) {
  std::vector<std::string> ids;
  for (const PluginFile& plugin : plugins) {
    if (!kind || plugin.manifest.kind == *kind) {
      ids.push_back(plugin.manifest.id);
    }
  }
  return ids;
}

[[noreturn]] void refuse_contested(std::string_view id,
                                   const std::vector<fs::path>& claimants) {
  std::vector<std::string> names;
  for (const fs::path& path : claimants) {
    names.push_back(path.string());
  }
  throw Error(
      ErrorCode::kConfiguration,
      fmt::format("plugin id '{}' is claimed by {}", id, fmt::join(names, " and by ")),
      "remove one of them, or give the path of the one that you mean");
}

void check_kind(const PluginFile& plugin, std::optional<PluginKind> kind) {
  if (kind && plugin.manifest.kind != *kind) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("'{}' is a {} plugin; a {} plugin is needed here",
                            plugin.manifest.id,
                            to_string(plugin.manifest.kind),
                            to_string(*kind)),
                "run `sizewise plugin list` for all plugins and their kinds");
  }
}

}  // namespace

SearchPath default_search_path(const std::vector<fs::path>& plugin_dirs) {
  SearchPath search_path;
  for (const fs::path& folder : plugin_dirs) {
    std::error_code fault;
    if (!fs::is_directory(folder, fault)) {
      throw Error(ErrorCode::kInput,
                  fmt::format("the plugin folder '{}' does not exist or is no folder",
                              folder.string()),
                  "check --plugin-dir");
    }
    search_path.folders.push_back(folder);
  }
  const char* const variable = std::getenv("SIZEWISE_PLUGIN_PATH");
  std::string_view rest = variable != nullptr ? variable : "";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    if (const std::string_view folder = rest.substr(0, colon); !folder.empty()) {
      search_path.folders.emplace_back(folder);
    }
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
  }
  for (const fs::path& folder : {plugins_beside_program(), plugins_beside_library()}) {
    // In an installed tree both are the same place.
    if (!folder.empty() &&
        (search_path.folders.empty() || search_path.folders.back() != folder)) {
      search_path.folders.push_back(folder);
    }
  }
  return search_path;
}

PluginCatalog PluginCatalog::scan(const SearchPath& search_path) {
  Scan scan;
  for (const fs::path& folder : search_path.folders) {
    scan.folder(folder);
  }
  PluginCatalog catalog;
  catalog.folders_ = search_path.folders;
  catalog.refused_ = std::move(scan.refused);
  std::map<std::string, std::vector<fs::path>, std::less<>> claims;
  for (const PluginFile& plugin : scan.plugins) {
    claims[plugin.manifest.id].push_back(plugin.path);
  }
  for (PluginFile& plugin : scan.plugins) {
    const std::vector<fs::path>& claimants = claims[plugin.manifest.id];
    if (claimants.size() == 1) {
      catalog.plugins_.push_back(std::move(plugin));
      continue;
    }
    const fs::path& other =
        claimants.front() == plugin.path ? claimants.back() : claimants.front();
    catalog.refused_.push_back(
        {plugin.path,
         "E_DUPLICATE_ID",
         fmt::format(
             "its id '{}' is also claimed by {}", plugin.manifest.id, other.string()),
         "remove one of them, or give the path of the one that you mean"});
    catalog.contested_[plugin.manifest.id] = claimants;
  }
  std::sort(catalog.plugins_.begin(),
            catalog.plugins_.end(),
            [](const PluginFile& a, const PluginFile& b) {
              return std::pair(a.manifest.kind, a.manifest.id) <
                     std::pair(b.manifest.kind, b.manifest.id);
            });
  return catalog;
}

PluginFile PluginCatalog::find(PluginKind kind, std::string_view id_or_path) const {
  return find_any(kind, id_or_path);
}

PluginFile PluginCatalog::find(std::string_view id_or_path) const {
  return find_any(std::nullopt, id_or_path);
}

PluginFile PluginCatalog::find_any(std::optional<PluginKind> kind,
                                   std::string_view id_or_path) const {
  const fs::path path(id_or_path);
  if (path.has_parent_path() || path.extension() == ".so") {
    PluginFile plugin = inspect_plugin(path);
    check_kind(plugin, kind);
    return plugin;
  }
  if (const auto claim = contested_.find(id_or_path); claim != contested_.end()) {
    refuse_contested(id_or_path, claim->second);
  }
  for (const PluginFile& plugin : plugins_) {
    if (plugin.manifest.id == id_or_path) {
      check_kind(plugin, kind);
      return plugin;
    }
  }
  refuse_unknown(kind, id_or_path);
}

void PluginCatalog::refuse_unknown(std::optional<PluginKind> kind,
                                   std::string_view id) const {
  const std::string what =
      kind ? fmt::format("{} plugin", to_string(*kind)) : std::string("plugin");
  // A file of that name that was refused is what the user means.
  for (const RefusedFile& refusal : refused_) {
    if (refusal.path.stem() == id) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("there is no {} '{}': {} is refused: {}: {}",
                              what,
                              id,
                              refusal.path.string(),
                              refusal.code,
                              refusal.message),
                  refusal.suggestion);
    }
  }
  const std::vector<std::string> known = ids_of(plugins_, kind);
  const std::string near = nearest_word(id, known);
  std::vector<std::string> folders;
  for (const fs::path& folder : folders_) {
    folders.push_back(folder.string());
  }
  throw Error(ErrorCode::kConfiguration,
              fmt::format("there is no {} '{}'{}",
                          what,
                          id,
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
              known.empty()
                  ? fmt::format("there is no {} in {}", what, fmt::join(folders, ", "))
                  : fmt::format("there are: {}; run `sizewise plugin list`",
                                fmt::join(known, ", ")));
}

}  // namespace sizewise::loading

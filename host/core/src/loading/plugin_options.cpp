#include "loading/plugin_options.hpp"

#include <fmt/format.h>

namespace sizewise::loading {

Options complete_options(const Manifest& manifest,
                         const Options& given,
                         std::vector<std::string>& warnings) {
  Options kept;
  for (const auto& [name, value] : given.values()) {
    if (manifest.size && name == manifest.size->name &&
        manifest.options.find(name) == nullptr) {
      warnings.push_back(
          fmt::format("'{}' is the size of plugin '{}', which Sizewise itself chooses; "
                      "set as an option it is ignored",
                      name,
                      manifest.id));
      continue;
    }
    kept.set(name, value);
  }
  return manifest.options.resolve(kept);
}

}  // namespace sizewise::loading

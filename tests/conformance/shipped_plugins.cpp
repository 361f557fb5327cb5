#include "shipped_plugins.hpp"

#include "plugin_under_test.hpp"

namespace sizewise::testing {

std::vector<std::string> shipped_plugins(PluginKind kind) {
  std::vector<std::string> ids;
  for (const Manifest& manifest : built_manifests()) {
    if (manifest.kind == kind) {
      ids.push_back(manifest.id);
    }
  }
  return ids;
}

std::string id_of_case(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace sizewise::testing

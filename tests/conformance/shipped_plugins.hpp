#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sizewise/manifest.hpp"

namespace sizewise::testing {

/// The ids of all plugins of a kind that the build made.
[[nodiscard]] std::vector<std::string> shipped_plugins(PluginKind kind);

/// Names a case after its plugin.
[[nodiscard]] std::string id_of_case(const ::testing::TestParamInfo<std::string>& info);

}  // namespace sizewise::testing

#include "loading/plugin_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sizewise/error.hpp"

namespace sizewise::loading {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Manifest mlp() {
  return parse_manifest(R"({
    "id": "mlp", "kind": "model", "version": "1", "summary": "a model",
    "size": {"name": "width", "description": "hidden width", "minimum": 1, "maximum": 64},
    "options": {"layers": {"type": "integer", "description": "layers", "default": 2}}
  })");
}

TEST(PluginOptions, AreCompletedWithDefaults) {
  std::vector<std::string> warnings;
  const Options options = complete_options(mlp(), {}, warnings);
  EXPECT_EQ(options.get<int64_t>("layers"), 2);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(PluginOptions, LeaveOutTheSizeWithAWarning) {
  std::vector<std::string> warnings;
  const Options options = complete_options(
      mlp(), Options::from_json(R"({"width": 64, "layers": 3})"), warnings);
  EXPECT_FALSE(options.has("width"));
  EXPECT_EQ(options.get<int64_t>("layers"), 3);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("'width' is the size of plugin 'mlp'")));
}

TEST(PluginOptions, RefuseAnUnknownName) {
  std::vector<std::string> warnings;
  EXPECT_THROW(
      (void)complete_options(mlp(), Options::from_json(R"({"layer": 3})"), warnings),
      Error);
}

}  // namespace
}  // namespace sizewise::loading

#include "plugin_under_test.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "sizewise/model.hpp"
#include "sizewise/quantizer.hpp"

#include "loading/plugin_catalog.hpp"
#include "loading/plugin_instance.hpp"

namespace sizewise::testing {
namespace {

loading::PluginFile plugin_file(std::string_view id) {
  return loading::inspect_plugin(std::filesystem::path(SIZEWISE_TEST_PLUGINS) /
                                 (std::string(id) + ".so"));
}

}  // namespace

Manifest manifest_of(std::string_view id) {
  return plugin_file(id).manifest;
}

std::vector<Manifest> built_manifests() {
  const auto catalog = loading::PluginCatalog::scan({{SIZEWISE_TEST_PLUGINS}});
  std::vector<Manifest> manifests;
  for (const loading::PluginFile& plugin : catalog.plugins()) {
    manifests.push_back(plugin.manifest);
  }
  std::sort(manifests.begin(), manifests.end(), [](const auto& one, const auto& other) {
    return one.id < other.id;
  });
  return manifests;
}

Options options_of(std::string_view id, std::string_view json) {
  return manifest_of(id).options.resolve(Options::from_json(json));
}

std::shared_ptr<ModelFamily> make_model_family(std::string_view id,
                                               const DatasetInfo& data,
                                               std::string_view options) {
  return loading::instantiate<ModelFamily>(
      plugin_file(id), options_of(id, options), &data);
}

std::shared_ptr<Dataset> make_dataset(std::string_view id, std::string_view options) {
  return loading::instantiate<Dataset>(plugin_file(id), options_of(id, options));
}

std::shared_ptr<Loss> make_loss(std::string_view id, std::string_view options) {
  return loading::instantiate<Loss>(plugin_file(id), options_of(id, options));
}

std::shared_ptr<Quantizer> make_quantizer(std::string_view id, std::string_view options) {
  return loading::instantiate<Quantizer>(plugin_file(id), options_of(id, options));
}

DatasetInfo token_data(int64_t vocabulary, int64_t context) {
  DatasetInfo data;
  data.unit = "token";
  data.units_per_sample = context;
  data.input_shape = {context};
  data.input_type = "int64";
  data.target_shape = {context};
  data.target_type = "int64";
  data.vocabulary = vocabulary;
  data.context = context;
  data.classes = vocabulary;
  return data;
}

DatasetInfo image_data(int64_t channels, int64_t side, int64_t classes) {
  DatasetInfo data;
  data.unit = "example";
  data.input_shape = {channels, side, side};
  data.input_type = "float32";
  data.target_type = "int64";
  data.channels = channels;
  data.classes = classes;
  return data;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.message() + " | " +
           error.suggestion();
  }
  return "(no error)";
}

ScratchFolder::ScratchFolder() {
  std::string name =
      (std::filesystem::temp_directory_path() / "sizewise_plugins_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorCode::kIo, "cannot make a scratch folder " + name);
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::write(const std::string& name, std::string_view bytes) const {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file.string();
}

std::string reference_file(const std::string& name) {
  const char* folder = std::getenv("SIZEWISE_REFERENCE_DATA");
  const std::filesystem::path file =
      std::filesystem::path(folder != nullptr ? folder : SIZEWISE_TEST_REFERENCE_DATA) /
      name;
  if (std::filesystem::exists(file)) {
    return file.string();
  }
  const char* ci = std::getenv("CI");
  if (ci != nullptr && std::string_view(ci) == "true") {
    ADD_FAILURE() << "the reference data are not at " << file;
  } else {
    GTEST_LOG_(WARNING) << "nothing checked: the reference data are not at " << file;
  }
  return {};
}

}  // namespace sizewise::testing

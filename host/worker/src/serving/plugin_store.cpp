#include "serving/plugin_store.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "sizewise/error.hpp"
#include "sizewise/model.hpp"

#include "loading/build_tag_check.hpp"
#include "loading/plugin_instance.hpp"
#include "serving/fields.hpp"
#include "training/guarded.hpp"

namespace sizewise::serving {

PluginRequest plugin_field(const nlohmann::json& params, const char* name) {
  const nlohmann::json& object = object_field(params, name);
  const nlohmann::json options = object.value("options", nlohmann::json::object());
  return {text_field(object, "path"), Options::from_json(options.dump())};
}

const loading::PluginFile& PluginStore::file(const std::filesystem::path& path) {
  const auto found = files_.find(path);
  if (found != files_.end()) {
    return found->second;
  }
  loading::PluginFile file = loading::inspect_plugin(path);
  loading::check_torch(file, TORCH_VERSION);
  return files_.emplace(path, std::move(file)).first->second;
}

const loading::PluginFile& PluginStore::file_of_kind(const std::filesystem::path& path,
                                                     PluginKind kind) {
  const loading::PluginFile& plugin = file(path);
  const Manifest& manifest = plugin.manifest;
  if (manifest.kind != kind) {
    throw Error(ErrorCode::kConfiguration,
                fmt::format("plugin '{}' ({}) is a {}, and a {} is needed",
                            manifest.id,
                            plugin.path.string(),
                            to_string(manifest.kind),
                            to_string(kind)));
  }
  return plugin;
}

template <class Interface>
training::Named<Interface> PluginStore::get(const PluginRequest& request,
                                            PluginKind kind,
                                            const DatasetInfo* data) {
  const loading::PluginFile& plugin = file_of_kind(request.path, kind);
  const Manifest& manifest = plugin.manifest;
  const Options options = manifest.options.resolve(request.options);
  const std::string key = fmt::format("{}\n{}\n{}",
                                      plugin.path.string(),
                                      options.to_json(),
                                      data != nullptr ? data->to_json() : "");
  auto found = instances_.find(key);
  if (found == instances_.end()) {
    std::shared_ptr<Interface> made = training::guarded(manifest.id, [&] {
      return loading::instantiate<Interface>(plugin, options, data);
    });
    found = instances_.emplace(key, std::move(made)).first;
  }
  return {manifest.id, std::static_pointer_cast<Interface>(found->second)};
}

nlohmann::json PluginStore::facts(const PluginRequest& request) {
  const Manifest& manifest = file(request.path).manifest;
  const Options options = manifest.options.resolve(request.options);
  return {{"plugin", manifest.id},
          {"version", manifest.version},
          {"options", nlohmann::json::parse(options.to_json())}};
}

training::Named<Dataset> PluginStore::dataset(const PluginRequest& request) {
  return get<Dataset>(request, PluginKind::kDataset, nullptr);
}

training::Named<Loss> PluginStore::loss(const PluginRequest& request) {
  return get<Loss>(request, PluginKind::kLoss, nullptr);
}

training::Named<ModelFamily> PluginStore::family(const PluginRequest& request,
                                                 const DatasetInfo& data) {
  return get<ModelFamily>(request, PluginKind::kModel, &data);
}

quantizing::NamedQuantizer PluginStore::new_quantizer(const PluginRequest& request) {
  const loading::PluginFile& plugin = file_of_kind(request.path, PluginKind::kQuantizer);
  const Manifest& manifest = plugin.manifest;
  const Options options = manifest.options.resolve(request.options);
  std::shared_ptr<Quantizer> made = training::guarded(manifest.id, [&] {
    return loading::instantiate<Quantizer>(plugin, options);
  });
  return {manifest.id, options, std::move(made)};
}

}  // namespace sizewise::serving

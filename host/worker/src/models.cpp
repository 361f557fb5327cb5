#include "sizewise/models.hpp"

#include <fmt/format.h>

#include "sizewise/error.hpp"

#include "contract/invert_sizes.hpp"
#include "contract/model_contract.hpp"
#include "serving/plugin_store.hpp"
#include "training/create_model.hpp"

namespace sizewise {
namespace {

/// A source's plugin, found and made.
struct OpenedFamily {
  training::Named<ModelFamily> family;
  SizeSpec spec;
};

OpenedFamily open_family(const ModelSource& source) {
  const loading::PluginFile file =
      loading::PluginCatalog::scan(loading::default_search_path(source.plugin_dirs))
          .find(PluginKind::kModel, source.plugin);
  serving::PluginStore plugins;
  return {plugins.family({file.path, source.options}, source.data),
          file.manifest.size.value_or(SizeSpec{})};
}

void check_sizes(const OpenedFamily& opened, const std::vector<int64_t>& sizes) {
  for (const int64_t size : sizes) {
    if (!opened.spec.allows(size)) {
      throw Error(ErrorCode::kConfiguration,
                  fmt::format("size {} of plugin '{}' is not allowed; allowed: {} to {} "
                              "in steps of {}",
                              size,
                              opened.family.id,
                              opened.spec.minimum,
                              opened.spec.maximum,
                              opened.spec.multiple_of),
                  fmt::format("the nearest is {}",
                              opened.spec.nearest(static_cast<double>(size))));
    }
  }
}

}  // namespace

std::vector<CreatedModel> create_models(const ModelSource& source,
                                        const std::vector<int64_t>& sizes,
                                        uint64_t seed) {
  const OpenedFamily opened = open_family(source);
  check_sizes(opened, sizes);
  std::vector<CreatedModel> models;
  models.reserve(sizes.size());
  for (const int64_t size : sizes) {
    std::shared_ptr<Model> model = training::create_model(opened.family, size, seed);
    const int64_t params = count_params(model->module());
    models.push_back({size, params, std::move(model)});
  }
  return models;
}

std::vector<int64_t> sizes_for_params(const ModelSource& source,
                                      const std::vector<double>& params) {
  const OpenedFamily opened = open_family(source);
  return contract::invert_sizes(opened.spec, params, [&](int64_t size) {
    return training::params_of_size(opened.family, size);
  });
}

std::optional<ContractBreach> validate_model(const ModelSource& source,
                                             const std::vector<int64_t>& sizes) {
  const OpenedFamily opened = open_family(source);
  check_sizes(opened, sizes);
  return contract::check_model_contract(
      {opened.family, opened.spec, sizes, {}, {}, source.data});
}

}  // namespace sizewise

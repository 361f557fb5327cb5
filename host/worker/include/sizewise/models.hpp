#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sizewise/dataset_info.hpp"
#include "sizewise/model.hpp"
#include "sizewise/options.hpp"

namespace sizewise {

/// Which models are meant: a plugin, how it is set, and the data that it is made for.
struct ModelSource {
  std::string plugin;  ///< an id, or the path of a .so
  Options options;     ///< what is not set takes the manifest's default
  DatasetInfo data;
  std::vector<std::filesystem::path> plugin_dirs;  ///< looked at before the usual places
};

/// A model of a size.
struct CreatedModel {
  int64_t size = 0;
  int64_t params = 0;  ///< counted on the model, a tied tensor once
  std::shared_ptr<Model> model;
};

/// A promise of the model contract (docs/writing-a-model.md) that a plugin breaks.
struct ContractBreach {
  std::string code;  ///< "E_NUM_PARAMS_SUM" and the like; see docs/command-line.md
  std::string message;
  std::string suggestion;
};

/// New models of the sizes given, in that order, each with weights drawn from `seed`.
/// @throws Error kConfiguration for an unknown plugin or option or a size that is not
///   allowed, kPlugin where the plugin cannot be loaded or fails
[[nodiscard]] std::vector<CreatedModel> create_models(const ModelSource& source,
                                                      const std::vector<int64_t>& sizes,
                                                      uint64_t seed = 0);

/// For each target, the size allowed by the manifest whose parameter count is nearest in
/// logarithm. @throws Error as create_models()
[[nodiscard]] std::vector<int64_t> sizes_for_params(const ModelSource& source,
                                                    const std::vector<double>& params);

/// Checks the model contract on the sizes given, with a made-up batch.
/// @returns the first breach; nothing where the plugin keeps the contract
/// @throws Error as create_models()
[[nodiscard]] std::optional<ContractBreach> validate_model(
    const ModelSource& source, const std::vector<int64_t>& sizes);

}  // namespace sizewise

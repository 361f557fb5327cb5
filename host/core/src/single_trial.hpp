#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "sizewise/experiment.hpp"
#include "sizewise/host.hpp"

#include "loading/plugin_catalog.hpp"

// One training run outside a sweep, and the evaluation of what it saved.

namespace sizewise {

/// What `sizewise train` is asked for.
struct SingleTrialRequest {
  PluginChoice model;
  PluginChoice dataset;
  PluginChoice loss;
  Recipe recipe;
  int64_t size = 0;
  int64_t tokens = 0;                       ///< rounded to whole samples
  int threads = 0;                          ///< 0: all cores
  std::filesystem::path output;             ///< a folder that holds no model yet
  std::filesystem::path worker;             ///< empty: the usual one
  std::filesystem::path working_folder;     ///< of the worker; empty: this process's
  const std::atomic<bool>* stop = nullptr;  ///< borrowed; may be null
};

/// What came of it.
struct SingleTrial {
  int64_t size = 0;
  nlohmann::json result;  ///< the answer to `train` of docs/worker-protocol.md
  std::filesystem::path output;
  bool saved = false;  ///< a diverged model is not
};

/// @throws running::Stopped where `stop` became true; Error as find_optimal(); kInput
/// where the output folder holds a model, kIo where another program trains into it
[[nodiscard]] SingleTrial train_one(const loading::PluginCatalog& catalog,
                                    const SingleTrialRequest& request,
                                    const Callbacks& callbacks);

/// What `sizewise evaluate` is asked for.
struct EvaluationRequest {
  std::filesystem::path checkpoint;
  PluginChoice model;    ///< empty: the plugin that the checkpoint names
  PluginChoice dataset;  ///< empty: the one that it was trained on
  PluginChoice loss;     ///< empty: the one that it was trained with
  std::string device = "cpu";
  std::optional<int64_t> batch_size;
  int threads = 0;  ///< 0: all cores
  std::filesystem::path worker;
};

/// {"loss", "accuracy", "units", "seconds_per_batch", "bytes"}; of a quantized model also
/// "float": the same of the float model that it was made of, on the same data, or null,
/// with a warning, where that is no longer there.
/// @throws Error kInput where the folder holds no model
[[nodiscard]] nlohmann::json evaluate_checkpoint(const loading::PluginCatalog& catalog,
                                                 const EvaluationRequest& request,
                                                 const Callbacks& callbacks);

}  // namespace sizewise

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include <c10/core/Device.h>
#include <nlohmann/json.hpp>

#include "serving/plugin_store.hpp"
#include "training/trial.hpp"

namespace sizewise::serving {

/// A model that a checkpoint holds, float or quantized, and what stands around it.
struct CheckpointModel {
  std::filesystem::path folder;
  nlohmann::json facts;         ///< its model.json
  training::Ingredients parts;  ///< of the request; the recipe is the checkpoint's
  std::unique_ptr<Model> model;
  c10::Device device = c10::kCPU;
  uint64_t bytes = 0;      ///< of model.safetensors
  int64_t batch_size = 1;  ///< asked for, else as the trial evaluated
  bool is_quantized = false;
};

/// Loads the model that a request names: `checkpoint`, `model`, `dataset`, `loss`,
/// `device`, `batch_size`.
/// @throws Error kConfiguration where the plugin or the data are of another kind than the
///   checkpoint's, kInput where its files are damaged or not this model's
[[nodiscard]] CheckpointModel load_checkpoint_model(PluginStore& plugins,
                                                    const nlohmann::json& params);

/// Batch number i of the training split, in the order of the trial's seed, through the
/// model as it stands. @throws Error kPlugin naming the plugin that fails
void run_training_batch(const CheckpointModel& loaded, int64_t i);

/// The same with batch 0 in evaluation mode, before a time is measured: a first batch
/// starts threads and fills caches.
void warm_up(const CheckpointModel& loaded);

}  // namespace sizewise::serving

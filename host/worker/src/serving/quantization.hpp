#pragma once

#include <nlohmann/json_fwd.hpp>

#include "serving/plugin_store.hpp"
#include "serving/worker.hpp"

namespace sizewise::serving {

/// Answers `quantize` of docs/worker-protocol.md: loads a float checkpoint, quantizes it,
/// writes the folder, and measures both models where it is asked to.
/// @throws Error kInput where the checkpoint is quantized already or nothing of it can be
///   quantized; else as load_checkpoint_model() and run_quantize_job()
[[nodiscard]] nlohmann::json quantize_checkpoint(PluginStore& plugins,
                                                 const nlohmann::json& params,
                                                 const EventSink& send_event);

/// Answers `quantize_weights`: a file of weights alone, tensor by tensor.
/// @throws Error as quantizing::quantize_file()
[[nodiscard]] nlohmann::json quantize_weight_file(PluginStore& plugins,
                                                  const nlohmann::json& params,
                                                  const EventSink& send_event);

}  // namespace sizewise::serving

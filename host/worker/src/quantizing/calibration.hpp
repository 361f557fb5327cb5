#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sizewise/quantizer.hpp"

#include "quantizing/layer_probe.hpp"
#include "quantizing/range_observer.hpp"

namespace torch::nn {
class Module;
}

namespace sizewise::quantizing {

/// What calibration saw.
struct Calibration {
  /// By the layer's first name. A layer without input (an embedding) has none; one that
  /// no batch ran has `rows` 0 and nothing else, and a warning.
  ///
  /// Of a convolution a row is the window of one group at one place, and the second
  /// moment is summed over groups; `channel_maximum` is the channel's (over all groups'
  /// channels that meet the same column of the flattened weight), repeated over the
  /// kernel. Of a transposed convolution a row is the input at one place.
  std::map<std::string, InputStatistics> statistics;
  int64_t batches = 0;
  std::vector<std::string> warnings;
};

/// Runs batches through a module, in the mode that it is in, and measures the inputs of
/// its layers, through sites that compute in float; afterwards the module is what it was,
/// buffers and LibTorch's random numbers included, also where this throws. No other
/// thread may use the module meanwhile; its forward pass may use several.
/// @param layers of the module, as find_layers() gave them; those to be quantized
/// @param run_batch runs forward pass number i, from 0 on; gradients are off
/// @param batches how many; above 0
/// @param after_batch progress: how many are done; may be empty
/// @throws Error kInput where batches is not above 0 or a forward pass fails (naming the
///   batch); kQuantization naming the layer, and the batch, whose input is not finite, or
///   the transposed convolution whose second moments are asked for
[[nodiscard]] Calibration calibrate(const torch::nn::Module& module,
                                    const std::vector<const Layer*>& layers,
                                    const CalibrationNeeds& needs,
                                    ObserverKind observer,
                                    int64_t batches,
                                    const std::function<void(int64_t)>& run_batch,
                                    const std::function<void(int64_t)>& after_batch = {});

}  // namespace sizewise::quantizing

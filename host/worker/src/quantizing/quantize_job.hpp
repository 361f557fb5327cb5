#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sizewise/error.hpp"
#include "sizewise/quantize.hpp"
#include "sizewise/quantizer.hpp"

#include "quantizing/name_pattern.hpp"
#include "quantizing/named_quantizer.hpp"
#include "quantizing/quantized_weight.hpp"

namespace sizewise::quantizing {

/// A module to be quantized, and how.
struct QuantizeJob {
  torch::nn::Module& module;  ///< in eval(); left as it is
  NamedQuantizer quantizer;
  NamePatterns patterns;
  /// Runs forward pass number i; the first tells what the layers do.
  std::function<void(int64_t)> run_batch{};
  int64_t calibration_batches = 0;  ///< that a quantizer which needs them may run
  int64_t units_in_batch = 0;       ///< for the report
  /// Where it stands: ("probe" | "calibrate" | "quantize", done, total); may be empty.
  std::function<void(std::string_view, int64_t, int64_t)> progress{};
};

/// What came of it.
struct QuantizedParts {
  std::vector<QuantizedWeight> weights;
  QuantizationInfo info;      ///< `kernel` of the layers and the bytes are empty still
  std::vector<Error> errors;  ///< of the quantization kind; empty: it worked
  std::vector<std::string> warnings;
};

/// Finds the layers, calibrates where the quantizer asks for it, and has each layer
/// quantized. The module is left bit by bit as it was.
/// @throws Error kInput where nothing can be quantized, a weight is not on the cpu, a
///   forward pass fails, or calibration is needed and calibration_batches is below 1;
///   kPlugin naming the quantizer where it throws what it may not
[[nodiscard]] QuantizedParts run_quantize_job(const QuantizeJob& job);

/// Has one layer quantized and describes it.
/// @throws Error kQuantization naming the layer, kPlugin naming the quantizer
void quantize_layer(const NamedQuantizer& quantizer,
                    const LayerView& view,
                    QuantizedWeight& weight,
                    QuantizedLayerInfo& info);

/// What a quantized weight says of its layer; its kernel and SQNR are not known here.
[[nodiscard]] QuantizedLayerInfo info_of(const QuantizedWeight& weight);

}  // namespace sizewise::quantizing

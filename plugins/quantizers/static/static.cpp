#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>

#include "sizewise/error.hpp"
#include "sizewise/quantizer.hpp"

#include "weight_codes.hpp"

namespace {

using sizewise::ActivationTreatment;
using sizewise::CalibrationNeeds;
using sizewise::Error;
using sizewise::ErrorCode;
using sizewise::LayerKind;
using sizewise::LayerView;
using sizewise::QuantizedLayer;

constexpr double kMostCode = 255.0;
constexpr float kLeastScale = std::numeric_limits<float>::min();
constexpr double kMostValue = std::numeric_limits<float>::max();

/// Weights as codes, and a layer's inputs as codes of the range that calibration saw.
class Static final : public sizewise::Quantizer {
 public:
  explicit Static(const sizewise::Options& options)
      : settings_(sizewise::quantizers::weight_settings(options)) {}

  [[nodiscard]] CalibrationNeeds needs() const override {
    CalibrationNeeds needs;
    needs.input_range = true;
    return needs;
  }

  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    QuantizedLayer quantized = sizewise::quantizers::quantize_weight(layer, settings_);
    // An embedding's inputs are places in it.
    if (layer.kind != LayerKind::kEmbedding) {
      set_activation(layer, quantized);
    }
    return quantized;
  }

 private:
  /// u8 codes of [minimum, maximum] widened to hold 0, which is a code exactly: padding
  /// is zeros. Source: Jacob et al. 2018 (arXiv 1712.05877), section 2.1.
  static void set_activation(const LayerView& layer, QuantizedLayer& quantized) {
    check_range(layer);
    const double low = std::min(*layer.input.minimum, 0.0);
    const double high = std::max(*layer.input.maximum, 0.0);
    // Files and kernels hold it as float32, so the zero point follows from that.
    const float scale =
        high > low ? std::max(static_cast<float>((high - low) / kMostCode), kLeastScale)
                   : 1.0F;
    quantized.activation = ActivationTreatment::kStatic;
    quantized.activation_scale = scale;
    quantized.activation_zero_point =
        static_cast<int64_t>(std::clamp(std::nearbyint(-low / scale), 0.0, kMostCode));
  }

  static void check_range(const LayerView& layer) {
    if (layer.input.rows == 0 || !layer.input.minimum || !layer.input.maximum) {
      throw Error(ErrorCode::kQuantization,
                  "layer '" + layer.name +
                      "' has no calibrated input range, which quantizer static needs",
                  "give calibration data that reach it: --dataset ID --dataset-option "
                  "...; or use quantizer dynamic, which needs none");
    }
    const double low = *layer.input.minimum;
    const double high = *layer.input.maximum;
    if (!(low <= high) || std::max(-low, high) > kMostValue) {
      std::ostringstream message;
      message << "layer '" << layer.name << "' has the calibrated input range " << low
              << " to " << high << "; allowed: finite numbers in ascending order";
      throw Error(ErrorCode::kQuantization,
                  message.str(),
                  "check the calibration data, or leave the layer out with --exclude " +
                      layer.name);
    }
  }

  sizewise::quantizers::WeightSettings settings_;
};

}  // namespace

SIZEWISE_QUANTIZER(Static)

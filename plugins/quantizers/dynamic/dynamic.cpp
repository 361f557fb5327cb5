#include <string>

#include "sizewise/quantizer.hpp"

#include "weight_codes.hpp"

namespace {

using sizewise::ActivationTreatment;
using sizewise::CalibrationNeeds;
using sizewise::LayerKind;
using sizewise::LayerView;
using sizewise::QuantizedLayer;

/// Weights as codes, and a layer's inputs as codes of a scale that follows from each
/// batch.
class Dynamic final : public sizewise::Quantizer {
 public:
  explicit Dynamic(const sizewise::Options& options)
      : settings_(sizewise::quantizers::weight_settings(options)),
        per_token_(options.get_or<std::string>("activations", "token") == "token") {}

  [[nodiscard]] CalibrationNeeds needs() const override { return {}; }

  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    QuantizedLayer quantized = sizewise::quantizers::quantize_weight(layer, settings_);
    quantized.activation = treatment_of(layer.kind);
    return quantized;
  }

 private:
  /// An embedding's inputs are places, and a convolution's share one scale.
  [[nodiscard]] ActivationTreatment treatment_of(LayerKind kind) const {
    if (kind == LayerKind::kEmbedding) {
      return ActivationTreatment::kNone;
    }
    return per_token_ && kind == LayerKind::kLinear
               ? ActivationTreatment::kDynamicPerToken
               : ActivationTreatment::kDynamicPerTensor;
  }

  sizewise::quantizers::WeightSettings settings_;
  bool per_token_;
};

}  // namespace

SIZEWISE_QUANTIZER(Dynamic)

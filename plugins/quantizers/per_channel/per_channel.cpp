#include "sizewise/quantizer.hpp"

#include "weight_codes.hpp"

namespace {

using sizewise::CalibrationNeeds;
using sizewise::LayerView;
using sizewise::QuantizedLayer;

/// Weights alone: the file says nothing of a layer's inputs.
class PerChannel final : public sizewise::Quantizer {
 public:
  explicit PerChannel(const sizewise::Options& options)
      : settings_(sizewise::quantizers::weight_settings(options)) {}

  [[nodiscard]] CalibrationNeeds needs() const override { return {}; }

  [[nodiscard]] QuantizedLayer quantize(const LayerView& layer) const override {
    return sizewise::quantizers::quantize_weight(layer, settings_);
  }

 private:
  sizewise::quantizers::WeightSettings settings_;
};

}  // namespace

SIZEWISE_QUANTIZER(PerChannel)
